using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Secrets;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "SyncSecret {SyncSecret} of Secret {Source} in the management cluster: {Outcome}")]
    public static partial void Written(ILogger logger, string syncSecret, ResourceKey source, ApplyOutcome outcome);

    [LoggerMessage(2, LogLevel.Information, "SyncSecret {SyncSecret} of Secret {Source} in the management cluster: deleted")]
    public static partial void Deleted(ILogger logger, string syncSecret, ResourceKey source);
}
