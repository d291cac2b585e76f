using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Certificates;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Certificate authority of xDS: {What}")]
    public static partial void AuthorityWritten(ILogger logger, string what);

    [LoggerMessage(2, LogLevel.Information, "Certificate {Secret}: {What}")]
    public static partial void CertificateWritten(ILogger logger, ResourceKey secret, string what);
}
