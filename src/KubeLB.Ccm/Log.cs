using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm;

/// <summary>All log messages of the CCM.</summary>
internal static partial class Log
{
    // Binding of the tenant to its cluster, and registration in the management cluster.

    [LoggerMessage(4101, LogLevel.Information, "{Namespace} is bound to this cluster ({Cluster}).")]
    public static partial void ClusterBound(ILogger logger, string @namespace, string cluster);

    [LoggerMessage(4102, LogLevel.Error, "{Problem}")]
    public static partial void ClusterRejected(ILogger logger, string problem);

    [LoggerMessage(4103, LogLevel.Warning, "{Problem} Retrying; existing objects in the management cluster are not changed.")]
    public static partial void ManagementClusterRejected(ILogger logger, string problem);

    [LoggerMessage(4104, LogLevel.Information, "The management cluster accepts objects in {Namespace} again.")]
    public static partial void ManagementClusterAccepted(ILogger logger, string @namespace);

    [LoggerMessage(4105, LogLevel.Warning, TenantSettings.GatewayApiNotEnabled)]
    public static partial void GatewayApiNotEnabled(ILogger logger);

    // Kinds of the tenant's cluster that are not available.

    [LoggerMessage(4201, LogLevel.Warning, "{Problem}")]
    public static partial void RemovalSuspended(ILogger logger, string problem);

    [LoggerMessage(4202, LogLevel.Information, "Kind {Resource} is available again; objects that are no longer needed are removed.")]
    public static partial void RemovalResumed(ILogger logger, string resource);

    // Routes.

    [LoggerMessage(4301, LogLevel.Information, "Route {Route} of {Kind} {Source} in the management cluster: {Outcome}")]
    public static partial void RouteWritten(ILogger logger, string route, string kind, ResourceKey source, ApplyOutcome outcome);

    [LoggerMessage(4302, LogLevel.Information, "Route {Route} of {Kind} {Source} in the management cluster: deleted")]
    public static partial void RouteDeleted(ILogger logger, string route, string kind, ResourceKey source);

    [LoggerMessage(4303, LogLevel.Information, "{Kind} {Source} is waiting for the node ports of {Services}")]
    public static partial void WaitingForNodePorts(ILogger logger, string kind, ResourceKey source, string services);

    // Secrets.

    [LoggerMessage(4401, LogLevel.Information, "SyncSecret {SyncSecret} of Secret {Source} in the management cluster: {Outcome}")]
    public static partial void SyncSecretWritten(ILogger logger, string syncSecret, ResourceKey source, ApplyOutcome outcome);

    [LoggerMessage(4402, LogLevel.Information, "SyncSecret {SyncSecret} of Secret {Source} in the management cluster: deleted")]
    public static partial void SyncSecretDeleted(ILogger logger, string syncSecret, ResourceKey source);

    // Nodes.

    [LoggerMessage(
        4501,
        LogLevel.Warning,
        "No selected node has an address of type {AddressType}; routes of this cluster return 503. Check --node-address-type, "
            + "--node-address-label-selector, and the nodes' addresses and labels."
    )]
    public static partial void NoNodeAddresses(ILogger logger, string addressType);

    [LoggerMessage(4502, LogLevel.Information, "{Count} nodes have an address of type {AddressType} again.")]
    public static partial void NodeAddressesFound(ILogger logger, int count, string addressType);
}
