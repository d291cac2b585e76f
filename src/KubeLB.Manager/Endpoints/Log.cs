using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Endpoints;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Addresses {Addresses}: {Problem}")]
    public static partial void Refused(ILogger logger, ResourceKey addresses, string problem);
}
