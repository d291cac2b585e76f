using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Reports;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "What the proxies refuse cannot be written to this replica's report; Routes do not show it until it can be: {Problem}")]
    public static partial void NotReported(ILogger logger, string problem);

    [LoggerMessage(2, LogLevel.Information, "Report {Report} of another replica was not renewed and is deleted")]
    public static partial void Expired(ILogger logger, ResourceKey report);
}
