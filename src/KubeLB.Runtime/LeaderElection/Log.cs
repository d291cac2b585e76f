using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.LeaderElection;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Leading: {Identity} holds the lease {Lease} in cluster \"{Cluster}\".")]
    public static partial void Leading(ILogger logger, string lease, string cluster, string identity);

    [LoggerMessage(
        2,
        LogLevel.Warning,
        "{Identity} lost the lease {Lease} in cluster \"{Cluster}\"; it writes nothing until it holds the lease again, and "
            + "continues to serve."
    )]
    public static partial void Lost(ILogger logger, string lease, string cluster, string identity);

    [LoggerMessage(3, LogLevel.Information, "The lease {Lease} in cluster \"{Cluster}\" is held by {Holder}.")]
    public static partial void OtherLeads(ILogger logger, string lease, string cluster, string holder);

    [LoggerMessage(4, LogLevel.Warning, "{Problem} Retrying.")]
    public static partial void CampaignFailing(ILogger logger, string problem);

    [LoggerMessage(5, LogLevel.Information, "The lease {Lease} in cluster \"{Cluster}\" could not be released and will run out: {Problem}")]
    public static partial void NotReleased(ILogger logger, string lease, string cluster, string problem);
}
