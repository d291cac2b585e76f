using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Workload;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {Key} of a tenant's proxies: {Outcome}")]
    public static partial void Written(ILogger logger, string kind, ResourceKey key, ApplyOutcome outcome);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {Key} of a tenant's proxies removed")]
    public static partial void Removed(ILogger logger, string kind, ResourceKey key);
}
