using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Secrets;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Secret {Secret} of SyncSecret {Source}: {Outcome}")]
    public static partial void Written(ILogger logger, string secret, ResourceKey source, ApplyOutcome outcome);

    [LoggerMessage(2, LogLevel.Warning, "SyncSecret {Source} is refused: {Problem}")]
    public static partial void Refused(ILogger logger, ResourceKey source, string problem);
}
