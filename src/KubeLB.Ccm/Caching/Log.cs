using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Caching;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Problem}")]
    public static partial void Held(ILogger logger, string problem);

    [LoggerMessage(2, LogLevel.Information, "Kind {Resource} is served again; what its objects no longer need is removed.")]
    public static partial void NoLongerHeld(ILogger logger, string resource);
}
