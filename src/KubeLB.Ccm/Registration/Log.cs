using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Registration;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Problem} Trying again; what is served there already is left alone.")]
    public static partial void Refused(ILogger logger, string problem);

    [LoggerMessage(2, LogLevel.Information, "The management cluster takes objects in {Namespace} again.")]
    public static partial void Accepted(ILogger logger, string @namespace);

    [LoggerMessage(3, LogLevel.Information, "{Namespace} is bound to this cluster ({Cluster}).")]
    public static partial void Bound(ILogger logger, string @namespace, string cluster);

    [LoggerMessage(4, LogLevel.Error, "{Problem}")]
    public static partial void Rejected(ILogger logger, string problem);
}
