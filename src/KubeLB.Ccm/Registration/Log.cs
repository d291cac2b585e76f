using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Registration;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Problem} Trying again; what is served there already is left alone.")]
    public static partial void Refused(ILogger logger, string problem);

    [LoggerMessage(2, LogLevel.Information, "The management cluster takes objects in {Namespace} again.")]
    public static partial void Accepted(ILogger logger, string @namespace);
}
