using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Connections;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "The kubeconfig of cluster \"{Cluster}\" changed; requests go to {Server} as it says.")]
    public static partial void Switched(ILogger logger, string cluster, Uri server);

    [LoggerMessage(2, LogLevel.Warning, "{Problem} Cluster \"{Cluster}\" keeps its connection; correct the file.")]
    public static partial void Unusable(ILogger logger, string problem, string cluster);
}
