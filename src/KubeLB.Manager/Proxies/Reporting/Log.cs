using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Reporting;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Event {Reason} on Tenant {Tenant} could not be written: {Problem}")]
    public static partial void EventNotWritten(ILogger logger, string reason, string tenant, string problem);
}
