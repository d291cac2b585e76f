using System.Net;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager;

/// <summary>All log messages of the manager.</summary>
internal static partial class Log
{
    // Routes and the objects generated from them.

    [LoggerMessage(3101, LogLevel.Information, "{Kind} {Generated}: {Outcome}")]
    public static partial void ObjectWritten(ILogger logger, string kind, ResourceKey generated, ApplyOutcome outcome);

    [LoggerMessage(3102, LogLevel.Information, "{Kind} {Generated}: deleted")]
    public static partial void ObjectDeleted(ILogger logger, string kind, ResourceKey generated);

    [LoggerMessage(3103, LogLevel.Warning, "Failed to apply Route {Route} ({Kind} {Origin}): {Problem}")]
    public static partial void RouteFailed(ILogger logger, ResourceKey route, string? kind, ResourceKey origin, string problem);

    // Secrets.

    [LoggerMessage(3201, LogLevel.Information, "Secret {Secret} of SyncSecret {Source}: {Outcome}")]
    public static partial void SecretWritten(ILogger logger, string secret, ResourceKey source, ApplyOutcome outcome);

    [LoggerMessage(3202, LogLevel.Warning, "Failed to apply SyncSecret {Source}: {Problem}")]
    public static partial void SyncSecretFailed(ILogger logger, ResourceKey source, string problem);

    // Settings and addresses.

    [LoggerMessage(3301, LogLevel.Warning, "Config {Config} has invalid settings: {Problems}")]
    public static partial void InvalidConfig(ILogger logger, ResourceKey config, string problems);

    [LoggerMessage(3302, LogLevel.Warning, "Addresses {Addresses}: {Problem}")]
    public static partial void AddressesRejected(ILogger logger, ResourceKey addresses, string problem);

    [LoggerMessage(3303, LogLevel.Warning, "Ranges of the management cluster: {Problem}")]
    public static partial void RangesUnknown(ILogger logger, string problem);

    [LoggerMessage(3305, LogLevel.Warning, "{Problem}")]
    public static partial void EnvoyGatewayNotResponding(ILogger logger, string problem);

    [LoggerMessage(3304, LogLevel.Warning, "Tenants {Tenant} and {Other}: {Problem}")]
    public static partial void AddressesOverlap(ILogger logger, string tenant, string other, string problem);

    // Certificates of xDS.

    [LoggerMessage(3401, LogLevel.Information, "xDS certificate authority: {Change}")]
    public static partial void AuthorityWritten(ILogger logger, string change);

    [LoggerMessage(3402, LogLevel.Information, "xDS certificate {Secret}: {Change}")]
    public static partial void CertificateWritten(ILogger logger, ResourceKey secret, string change);

    // The proxies' workload.

    [LoggerMessage(3501, LogLevel.Information, "{Kind} {Key} of a tenant's proxies: {Outcome}")]
    public static partial void WorkloadWritten(ILogger logger, string kind, ResourceKey key, ApplyOutcome outcome);

    [LoggerMessage(3502, LogLevel.Information, "{Kind} {Key} of a tenant's proxies: deleted")]
    public static partial void WorkloadDeleted(ILogger logger, string kind, ResourceKey key);

    // Acknowledgements of proxies.

    [LoggerMessage(
        3601,
        LogLevel.Warning,
        "Route {Route} is written, although after {Seconds} s these proxies have not acknowledged its new backends: {Proxies}. "
            + "Requests through them may return 503."
    )]
    public static partial void BackendsNotAcknowledged(ILogger logger, ResourceKey route, int seconds, string proxies);

    [LoggerMessage(
        3602,
        LogLevel.Warning,
        "Failed to get acknowledgements of proxies from the replica at {Address}: {Reason}. Routes with new backends wait up to 15 s "
            + "for its proxies."
    )]
    public static partial void ReplicaUnavailable(ILogger logger, IPEndPoint address, string reason);

    [LoggerMessage(3603, LogLevel.Error, "Failed to evaluate acknowledgements of proxies; retrying.")]
    public static partial void AcknowledgementsFailed(ILogger logger, Exception exception);

    // The xDS server.

    [LoggerMessage(3701, LogLevel.Information, "xDS server is listening on {Address} with mutual TLS.")]
    public static partial void XdsListening(ILogger logger, IPEndPoint address);

    [LoggerMessage(
        3702,
        LogLevel.Warning,
        "xDS server is listening on {Address} without TLS and without authentication (--xds-insecure). Remove the flag after the last "
            + "proxy of the Go manager is deleted."
    )]
    public static partial void XdsListeningInsecurely(ILogger logger, IPEndPoint address);

    [LoggerMessage(
        3703,
        LogLevel.Warning,
        "xDS server rejected or reset a connection or stream of {Peer} ({Kind}): {Reason} Remedy: {Remedy}. Suppressed "
            + "{Suppressed} times since it was last logged"
    )]
    public static partial void XdsFailure(ILogger logger, string kind, string peer, string reason, string remedy, int suppressed);

    [LoggerMessage(3704, LogLevel.Warning, "Failed to write Event {Reason} on Tenant {Tenant}: {Problem}")]
    public static partial void EventFailed(ILogger logger, string reason, string tenant, string problem);
}
