using System.Net;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox;

/// <summary>The log messages of the sandbox.</summary>
internal static partial class Log
{
    // Pods with processes

    [LoggerMessage(6001, LogLevel.Information, "Pod {Pod}: started process {Id} with address {Address}")]
    public static partial void ProcessStarted(ILogger logger, string pod, int id, IPAddress address);

    [LoggerMessage(6002, LogLevel.Information, "Pod {Pod}: process exited with code {Code}")]
    public static partial void ProcessExited(ILogger logger, string pod, int code);

    [LoggerMessage(6003, LogLevel.Information, "Pod {Pod}: preStop hook exited with code {Code}")]
    public static partial void PreStopHookExited(ILogger logger, string pod, int code);

    [LoggerMessage(6010, LogLevel.Warning, "Pod {Pod}: cannot run preStop hook: {Reason}")]
    public static partial void PreStopHookFailed(ILogger logger, string pod, string reason);

    [LoggerMessage(6004, LogLevel.Warning, "Pod {Pod}: cannot write status: {Reason}")]
    public static partial void PodStatusFailed(ILogger logger, string pod, string reason);

    [LoggerMessage(6005, LogLevel.Error, "Pod {Pod} failed")]
    public static partial void PodFailed(ILogger logger, Exception exception, string pod);

    // Stand-ins for tenant proxies

    [LoggerMessage(6006, LogLevel.Information, "Proxy {Node}: applied configuration with {Listeners} listeners and {Clusters} clusters")]
    public static partial void ProxyConfigured(ILogger logger, string node, int listeners, int clusters);

    [LoggerMessage(6007, LogLevel.Warning, "Proxy {Node} cannot listen on {EndPoint}: {Reason}")]
    public static partial void ProxyCannotListen(ILogger logger, string node, IPEndPoint endPoint, string reason);

    [LoggerMessage(
        6011,
        LogLevel.Warning,
        "Proxy {Node} serves {Limit} ports, the maximum of the stand-in; {Count} ports are not served. Remove routes, or run the sandbox "
            + "with --envoy."
    )]
    public static partial void ProxyLimited(ILogger logger, string node, int limit, int count);

    [LoggerMessage(6008, LogLevel.Information, "Proxy {Node} stopped")]
    public static partial void ProxyStopped(ILogger logger, string node);

    [LoggerMessage(6009, LogLevel.Information, "Proxy {Node}: cannot get configuration from {Server}: {Reason}")]
    public static partial void XdsStreamFailed(ILogger logger, string node, IPEndPoint server, string reason);
}
