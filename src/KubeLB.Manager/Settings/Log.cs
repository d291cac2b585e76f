using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Settings;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Config {Config} has settings that cannot be used: {Problems}")]
    public static partial void Invalid(ILogger logger, ResourceKey config, string problems);
}
