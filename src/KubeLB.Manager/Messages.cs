using System.Globalization;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Manager.Routes;

namespace KubeLB.Manager;

/// <summary>All texts of conditions and Events that the manager itself writes.</summary>
internal static class Messages
{
    private const string GatewaysAndRoutes = "Gateway, HTTPRoute, GRPCRoute";

    /// <summary>Text before the finalizers that block a deletion, by which TenantEvents finds them in a message.</summary>
    public const string BlockedByFinalizer = " is blocked by finalizer";

    /// <summary>The management cluster does not have Envoy Gateway's kind BackendTrafficPolicy.</summary>
    [ReportedMessage(
        RouteConditions.InstallationFailed,
        On = "HTTPRoute, GRPCRoute",
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning",
        Remedy = "Ask the administrator of the management cluster to install Envoy Gateway's CustomResourceDefinitions."
    )]
    public const string RetryAnnotationsNotSupported =
        "The management cluster does not support retry annotations: it lacks Envoy Gateway's kind BackendTrafficPolicy. "
        + "Ask its administrator to install it, or use retry in rules of an HTTPRoute.";

    /// <summary>The tenant and its access to the management cluster are set up.</summary>
    [ReportedMessage(
        TenantReasons.Reconciled,
        On = "Tenant",
        Condition = "Ready=True",
        Event = "Normal",
        Reader = MessageReader.Administrator
    )]
    public const string TenantReady = "Tenant reconciled successfully";

    /// <summary>The CCM of another cluster that used the tenant's kubeconfig has stopped or was corrected.</summary>
    [ReportedMessage(TenantCcmConditions.ClusterAccepted, On = "Tenant", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string ClusterMismatchResolved = "No CCM of another cluster uses this Tenant any longer.";

    /// <summary>The CCM has reported after an interruption.</summary>
    [ReportedMessage(TenantCcmConditions.CcmConnected, On = "Tenant", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string CcmReconnected = "The CCM has reconnected.";

    /// <summary>The previous token of the CCM no longer exists.</summary>
    [ReportedMessage(TenantTokenConditions.TokenRotated, On = "Tenant", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string TokenRotated = "The token of the CCM has been rotated. All previous tokens are revoked.";

    /// <summary>No other tenant uses hostnames of the tenant any longer.</summary>
    [ReportedMessage(TenantHostnameConditions.HostnamesUnique, On = "Tenant", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string HostnamesUnique = "No hostname of this Tenant is also used by another Tenant any longer.";

    /// <summary>Addresses are used again.</summary>
    [ReportedMessage(AddressesConditions.Accepted, On = "Addresses, Tenant", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string AddressesRecovered = "The tenant has usable node addresses.";

    /// <summary>The Tenant has the current defaults.</summary>
    [ReportedMessage(TenantDefaultsConditions.DefaultsCurrent, On = "Tenant", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string DefaultsCurrent = "The Tenant has the current defaults.";

    /// <summary>A Tenant has the defaults of an earlier version.</summary>
    [ReportedMessage(
        RouteConditions.EarlierDefaults,
        On = "Tenant",
        Condition = "DefaultsCurrent=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string EarlierDefaults(string current, string next, int routes, int addresses)
    {
        var rejected = new[] { Count(routes, "Route", "Routes"), Count(addresses, "node address", "node addresses") }
            .OfType<string>()
            .ToList();
        var remedy = $"set annotation {Annotations.Defaults} to \"{current}\"";
        return $"Earlier defaults apply until version {next}. "
            + (
                rejected.Count == 0
                    ? $"Those of version {current} reject nothing that the tenant has: {remedy}."
                    : $"Those of version {current} reject {string.Join(" and ", rejected)}: configure what it needs, then {remedy}."
            );
    }

    private static string? Count(int count, string one, string many) =>
        count == 0 ? null : $"{count.ToString(CultureInfo.InvariantCulture)} {(count == 1 ? one : many)}";

    /// <summary>The CustomResourceDefinition of PodMonitors is not installed.</summary>
    [ReportedMessage(
        TenantReasons.PodMonitorUnavailable,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Install Prometheus Operator's CustomResourceDefinitions, or set envoyProxy.podMonitor.enabled of the Config to false."
    )]
    public const string PodMonitorsNotInstalled =
        "CustomResourceDefinition podmonitors.monitoring.coreos.com is not installed. Install Prometheus Operator's definitions, or set "
        + "envoyProxy.podMonitor.enabled of the Config to false.";

    /// <summary>Reason why a DaemonSet of proxies has no pods.</summary>
    public const string NoEligibleNode = "no node is eligible";

    // Config.

    /// <summary>Name of the addresses of Nodes in <see cref="RangesUnknown"/>.</summary>
    public const string UnknownNodes = "nodes (no permission to list Nodes)";

    /// <summary>Name of the ranges of pods in <see cref="RangesUnknown"/>.</summary>
    public const string UnknownPods = "pods (not every Node has spec.podCIDRs)";

    /// <summary>Name of the ranges of Services in <see cref="RangesUnknown"/>.</summary>
    public const string UnknownServices = "Services (no ServiceCIDR, which Kubernetes has since 1.33)";

    /// <summary>Name of the API server's address in <see cref="RangesUnknown"/>.</summary>
    public const string UnknownApiServer = "API server (Service kubernetes has no endpoint)";

    /// <summary>All settings of the Config are valid.</summary>
    [ReportedMessage(SettingsConditions.Valid, On = "Config", Condition = "SettingsValid=True", Reader = MessageReader.Administrator)]
    public const string SettingsValid = "All settings of the Config are valid.";

    /// <summary>No tenant may use every hostname.</summary>
    [ReportedMessage(
        SettingsConditions.Restricted,
        On = "Config",
        Condition = "DomainsRestricted=True",
        Reader = MessageReader.Administrator
    )]
    public const string DomainsRestricted = "The allowed domains of all Tenants are set, or there is only one Tenant.";

    /// <summary>Envoy Gateway has reported on all generated objects.</summary>
    [ReportedMessage(
        SettingsConditions.Responding,
        On = "Config",
        Condition = "EnvoyGatewayResponding=True",
        Reader = MessageReader.Administrator
    )]
    public const string EnvoyGatewayResponding = "No report of Envoy Gateway on a generated object is overdue.";

    /// <summary>Envoy Gateway does not report on a generated object.</summary>
    [ReportedMessage(
        SettingsConditions.NotResponding,
        On = "Config",
        Condition = "EnvoyGatewayResponding=False",
        Reader = MessageReader.Administrator
    )]
    public static string EnvoyGatewayNotResponding(string route, int seconds) =>
        $"Envoy Gateway has not reported on the object of Route {route} for more than {seconds.ToString(CultureInfo.InvariantCulture)} s. "
        + "Changes of routes have no effect. Check that its Deployment runs, and its log.";

    /// <summary>The API server tells all addresses of the management cluster.</summary>
    [ReportedMessage(
        SettingsConditions.RangesKnown,
        On = "Config",
        Condition = "ManagementRangesKnown=True",
        Reader = MessageReader.Administrator
    )]
    public const string RangesKnown =
        "Nodes, pods, Services, API server and Gateways of the management cluster are rejected as node addresses of tenants unless "
        + "spec.addresses.allow contains them.";

    /// <summary>The API server does not tell all addresses of the management cluster, and the administrator listed ranges.</summary>
    [ReportedMessage(
        SettingsConditions.RangesDeclared,
        On = "Config",
        Condition = "ManagementRangesKnown=True",
        Reader = MessageReader.Administrator
    )]
    public static string RangesDeclared(IEnumerable<string> unknown) =>
        $"Not determined: {string.Join(", ", unknown)}. spec.addresses.deny must contain these ranges.";

    /// <summary>The API server does not tell all addresses of the management cluster.</summary>
    [ReportedMessage(
        SettingsConditions.RangesUnknown,
        On = "Config",
        Condition = "ManagementRangesKnown=False",
        Reader = MessageReader.Administrator,
        Remedy = "Add these ranges to spec.addresses.deny."
    )]
    public static string RangesUnknown(IEnumerable<string> unknown) =>
        $"Not determined: {string.Join(", ", unknown)}. Tenants can use these addresses as nodes; add them to spec.addresses.deny.";

    // Routes.

    /// <summary>A ResourceQuota of the tenant's namespace in the management cluster is used up.</summary>
    [ReportedMessage(
        RouteConditions.QuotaExceeded,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Raise the ResourceQuota of the tenant's namespace."
    )]
    [ReportedMessage(RouteConditions.QuotaExceeded, On = GatewaysAndRoutes, Condition = "Accepted=False", Event = "Warning")]
    public static string QuotaExceeded(string kind) =>
        $"The tenant's quota in the management cluster does not allow another {kind}. Delete routes, or ask the administrator for a larger "
        + "quota.";

    /// <summary>An admission webhook or policy of the management cluster denied the generated object.</summary>
    [ReportedMessage(
        RouteConditions.AdmissionDenied,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "The tenant must correct the source object, or the administrator the webhook or policy."
    )]
    [ReportedMessage(
        RouteConditions.AdmissionDenied,
        On = GatewaysAndRoutes,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Correct the object, or ask the administrator to permit it."
    )]
    public static string AdmissionDenied(string kind, string explanation) =>
        $"A policy of the management cluster denied the {kind}: {explanation.TrimEnd('.')}. "
        + "Correct the object, or ask the administrator to permit it.";

    /// <summary>The API server of the management cluster rejected the generated object.</summary>
    [ReportedMessage(
        RouteConditions.InstallationFailed,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "The tenant must correct the source object."
    )]
    [ReportedMessage(
        GatewayConditions.ManagementClusterRejected,
        On = GatewaysAndRoutes,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Correct the object as the error says."
    )]
    public static string ObjectRejected(string kind, string error) => $"The management cluster rejected the {kind}: {error}";

    /// <summary>Every port of the tenant's proxies is in use by another generated Service.</summary>
    [ReportedMessage(
        RouteConditions.PortsExhausted,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "The tenant must delete routes, or reduce the number of backend ports."
    )]
    [ReportedMessage(RouteConditions.PortsExhausted, On = "HTTPRoute, GRPCRoute", Condition = "Accepted=False", Event = "Warning")]
    public static string PortsExhausted(int first, int last) =>
        $"All ports {Number(first)}-{Number(last)} of the tenant's proxies are in use. Delete routes or reduce backend ports; retrying "
        + "every 30 s.";

    /// <summary>A generated object was changed by another client; the manager restored it.</summary>
    [ReportedMessage(
        RouteEvents.Repaired,
        On = "Route",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Edit the tenant's object instead."
    )]
    public static string ChangeReverted(string kind, string name) =>
        $"Reverted an external change to generated {kind} {name}. Edit the tenant's object instead.";

    /// <summary>A generated object was deleted by another client; the manager recreated it.</summary>
    [ReportedMessage(
        RouteEvents.Repaired,
        On = "Route",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the tenant's object instead."
    )]
    public static string ObjectRecreated(string kind, string name) =>
        $"Recreated generated {kind} {name} after it was deleted. Delete the tenant's object instead.";

    // SyncSecrets.

    /// <summary>A Secret with the name of the generated one exists and was not generated from this SyncSecret.</summary>
    [ReportedMessage(
        SyncSecretConditions.SyncFailed,
        On = "SyncSecret",
        Condition = "Synced=False",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the Secret."
    )]
    public static string SecretConflict(string secret) =>
        $"Secret {secret} already exists and was not generated from this SyncSecret. Delete it.";

    /// <summary>The API server rejected the generated Secret. Its message is not repeated, since it may quote secret data.</summary>
    [ReportedMessage(
        SyncSecretConditions.SyncFailed,
        On = "SyncSecret",
        Condition = "Synced=False",
        Reader = MessageReader.Administrator,
        Remedy = "Check the keys, size and type of the tenant's Secret."
    )]
    public static string SecretRejected(int statusCode) =>
        $"The API server rejected the Secret with status {Number(statusCode)}. Check the keys, size and type of the tenant's Secret.";

    // Tenants.

    /// <summary>Two tenants list the same node address.</summary>
    [ReportedMessage(
        TenantReasons.AddressesOverlap,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "If they do not share nodes, set spec.addresses.ranges of both Tenants."
    )]
    public static string AddressesOverlap(string address, int count, string tenant) =>
        $"Node address {address}{(count > 1 ? $" (and {count - 1} more)" : "")} is also listed by Tenant {tenant}. "
        + "If they do not share nodes, set spec.addresses.ranges of both Tenants.";

    /// <summary>A Secret of another type has the name of the CCM's token Secret.</summary>
    [ReportedMessage(
        TenantReasons.TokenSecretConflict,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the Secret."
    )]
    public static string TokenSecretConflict(string secret, string type) =>
        $"Secret {secret} has type {type} and conflicts with the Secret for the token of the tenant's CCM. Delete it.";

    /// <summary>The token controller of the management cluster has not written the CCM's token yet.</summary>
    [ReportedMessage(TenantReasons.WaitingForToken, On = "Tenant", Condition = "Ready=False", Reader = MessageReader.Administrator)]
    public static string WaitingForToken(string secret) => $"Waiting for the token controller to write a token to Secret {secret}.";

    /// <summary>The Secret contains a token of a deleted ServiceAccount, which the token controller has not replaced yet.</summary>
    [ReportedMessage(TenantReasons.WaitingForToken, On = "Tenant", Condition = "Ready=False", Reader = MessageReader.Administrator)]
    public static string TokenOfDeletedAccount(string secret) =>
        $"Secret {secret} contains a token of a deleted ServiceAccount. Waiting for a new token.";

    /// <summary>The token is being rotated, and the CCM uses the previous one.</summary>
    [ReportedMessage(
        TenantTokenConditions.WaitingForCcm,
        On = "Tenant",
        Condition = "TokenRotated=False",
        Event = "Normal",
        Reader = MessageReader.Administrator,
        Remedy = "Copy the kubeconfig to the tenant's cluster."
    )]
    public static string PreviousTokenInUse(string tenantNamespace, string secret) =>
        $"The CCM uses the token of Secret {secret}, which is revoked when it uses the new one. "
        + $"Copy Secret {TenantNames.KubeconfigSecret} of {tenantNamespace} to its cluster.";

    /// <summary>The token is being rotated, and the CCM is a Go CCM or an older version, or none has been started.</summary>
    [ReportedMessage(
        TenantTokenConditions.WaitingForCcm,
        On = "Tenant",
        Condition = "TokenRotated=False",
        Event = "Normal",
        Reader = MessageReader.Administrator,
        Remedy = "Copy the kubeconfig to the tenant's cluster, then delete the Secret of the previous token."
    )]
    public static string TokenNotReported(string tenantNamespace, string previous) =>
        "No CCM reports its token, so the previous one stays valid. "
        + $"Copy Secret {TenantNames.KubeconfigSecret} to its cluster, then: {DeleteToken(tenantNamespace, previous)}";

    /// <summary>The token is being rotated, and the CCM has not reported for an hour.</summary>
    [ReportedMessage(
        TenantTokenConditions.WaitingForCcm,
        On = "Tenant",
        Condition = "TokenRotated=False",
        Event = "Normal",
        Reader = MessageReader.Administrator,
        Remedy = "Start the CCM with the new kubeconfig, or delete the Secret of the previous token."
    )]
    public static string TokenOfMissingCcm(string tenantNamespace, string previous) =>
        $"The CCM is not connected, so the previous token stays valid until it uses Secret {TenantNames.KubeconfigSecret}. "
        + $"To revoke it now: {DeleteToken(tenantNamespace, previous)}";

    /// <summary>A deleted Tenant still has Routes or SyncSecrets.</summary>
    [ReportedMessage(
        TenantReasons.Terminating,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Normal",
        Reader = MessageReader.Administrator
    )]
    public static string WaitingForObjects(long count, string kind, string tenantNamespace, string example) =>
        $"Waiting for {Counted(count, kind)} in namespace {tenantNamespace} to be removed, for example {example}.";

    /// <summary>A deleted Tenant still has Routes or SyncSecrets, and a finalizer of another component blocks their deletion.</summary>
    [ReportedMessage(
        TenantReasons.Terminating,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Let the owner of the finalizer remove it."
    )]
    public static string WaitingForFinalizers(
        long count,
        string kind,
        string tenantNamespace,
        string example,
        string blocked,
        IReadOnlyCollection<string> finalizers
    ) =>
        $"Waiting for {Counted(count, kind)} in namespace {tenantNamespace} to be removed, for example {example}; "
        + $"{blocked}{BlockedByFinalizer}{(finalizers.Count == 1 ? "" : "s")} {string.Join(", ", finalizers)}.";

    /// <summary>A deleted Tenant's namespace still exists.</summary>
    [ReportedMessage(
        TenantReasons.Terminating,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Normal",
        Reader = MessageReader.Administrator
    )]
    public static string WaitingForNamespace(string tenantNamespace, IReadOnlyCollection<string> causes) =>
        $"Waiting for namespace {tenantNamespace} to be removed{Causes(causes)}.";

    /// <summary>The namespace of a deleted Tenant of this name still exists.</summary>
    [ReportedMessage(TenantReasons.WaitingForNamespace, On = "Tenant", Condition = "Ready=False", Reader = MessageReader.Administrator)]
    public static string WaitingForOldNamespace(string tenantNamespace, IReadOnlyCollection<string> causes) =>
        $"Waiting for namespace {tenantNamespace} of a deleted Tenant to be removed{Causes(causes)}.";

    /// <summary>A request to the API server failed while the tenant was set up.</summary>
    [ReportedMessage(
        TenantReasons.ReconciliationFailed,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "See the error and the manager's log; the manager retries."
    )]
    public static string ReconciliationFailed(string error) => $"Failed to set up the tenant: {error}";

    /// <summary>Hostnames of Gateways or routes overlap those of other tenants.</summary>
    [ReportedMessage(
        TenantHostnameConditions.HostnamesOverlap,
        On = "Tenant",
        Condition = "HostnamesUnique=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Set allowedDomains, so that each hostname is allowed for one tenant."
    )]
    public static string HostnamesOverlap(IReadOnlyCollection<string> hostnames, bool hasMore) =>
        $"Hostnames overlap those of other Tenants: {string.Join(", ", hostnames)}{(hasMore ? ", and others" : "")}. "
        + "Set allowedDomains of the Tenants, or exclusiveHostnames of the Config.";

    /// <summary>There are several Tenants, and neither the Config nor some of them restrict the hostnames.</summary>
    [ReportedMessage(
        SettingsConditions.AllowedDomainsNotSet,
        On = "Config",
        Condition = "DomainsRestricted=False",
        Reader = MessageReader.Administrator
    )]
    public static string AllowedDomainsNotSet(int open, int tenants) =>
        $"{Number(open)} of {Number(tenants)} Tenants may use every hostname, including those of other tenants. "
        + "Set allowedDomains of each Tenant, or of this Config; [\"*\"] allows every hostname.";

    /// <summary>The GatewayClass of a Tenant exists again and is not rejected, or another one is configured.</summary>
    [ReportedMessage(GatewayClassConditions.GatewayClassReady, On = "Tenant", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string GatewayClassReady = "The GatewayClass of the Tenant's Gateways exists.";

    // The proxies' workload.

    /// <summary>No pod of the tenant's proxies is available, and their Deployment or DaemonSet reports why.</summary>
    [ReportedMessage(
        TenantProxyConditions.NoProxyAvailable,
        On = "Tenant",
        Condition = "ProxiesAvailable=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Correct the reported cause."
    )]
    public static string NoProxyAvailable(string workload, string tenantNamespace, string cause) =>
        $"No pod of {workload} in namespace {tenantNamespace} is available; the tenant's routes return 503: {cause}";

    /// <summary>No pod of the tenant's proxies is available; their pods' events and status have the cause.</summary>
    [ReportedMessage(
        TenantProxyConditions.NoProxyAvailable,
        On = "Tenant",
        Condition = "ProxiesAvailable=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Find the cause with kubectl describe pods."
    )]
    public static string NoProxyAvailable(string workload, string tenantNamespace) =>
        $"No pod of {workload} in namespace {tenantNamespace} is available; the tenant's routes return 503. "
        + $"See kubectl -n {tenantNamespace} describe pods -l {Labels.AppName}={tenantNamespace}";

    /// <summary>The API server rejected an object of the proxies' workload.</summary>
    [ReportedMessage(
        TenantReasons.ProxiesNotDeployed,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Correct the settings in envoyProxy, or the permissions of the manager; the manager retries."
    )]
    public static string ProxiesNotDeployed(string tenantNamespace, string error) =>
        $"Failed to write the proxies in namespace {tenantNamespace}: {error}";

    /// <summary>The rollout of a tenant's proxies makes no progress, and keeps a slot that other tenants' rollouts need.</summary>
    [ReportedMessage(
        TenantReasons.ProxyRolloutStuck,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Correct or revert envoyProxy of the Config or the Tenant."
    )]
    public static string RolloutStuck(string tenantNamespace, string cause) =>
        $"The rollout of the proxies in namespace {tenantNamespace} is stuck and blocks rollouts of other tenants: {cause}. "
        + "Correct or revert envoyProxy of the Config or the Tenant.";

    /// <summary>Why a rollout is stuck, if the Deployment or DaemonSet does not report it.</summary>
    public static string NoPodReplaced(TimeSpan timeout) => $"no pod has been replaced for {Number((int)timeout.TotalMinutes)} minutes";

    // The proxies' xDS streams.

    /// <summary>A proxy rejected resources of its configuration (NACK).</summary>
    [ReportedMessage(
        ProxyEvents.ProxyRejected,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "See the manager's log and /debug/xds."
    )]
    public static string ConfigurationRejected(string type, IReadOnlyCollection<string> resources, string error)
    {
        const int MaxNames = 3;
        return $"Envoy rejected the {type} {MessageText.List(resources, MaxNames)} and keeps the last accepted configuration: "
            + $"{error.TrimEnd('.')}. See the manager's log and /debug/xds.";
    }

    /// <summary>A client has the certificate of this tenant's proxies, but a node id that belongs to no Tenant.</summary>
    [ReportedMessage(
        ProxyEvents.ProxyDenied,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "If it is a proxy of this tenant, set its node.id."
    )]
    public static string NodeIdMismatch(string host, string tenantNamespace) =>
        $"Rejected xDS stream from {host}: its certificate is for {tenantNamespace}, its node.id is different. "
        + $"If it is a proxy of this tenant, set node.id to {tenantNamespace}.";

    /// <summary>A client has the node id of this tenant's proxies, but no certificate of the manager's authority.</summary>
    [ReportedMessage(
        ProxyEvents.ProxyDenied,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "If it is a proxy of this tenant, mount the current Secret."
    )]
    public static string UntrustedCertificate(string host, string tenantNamespace) =>
        $"Rejected xDS stream from {host}: its certificate was not issued by the manager. {MountSecret(tenantNamespace)}.";

    /// <summary>A client has a certificate of a deleted Tenant that had the same name.</summary>
    [ReportedMessage(
        ProxyEvents.ProxyDenied,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "If it is a proxy of this tenant, mount the current Secret."
    )]
    public static string CertificateOfDeletedTenant(string host, string tenantNamespace) =>
        $"Rejected xDS stream from {host}: its certificate is for a deleted Tenant of this name. {MountSecret(tenantNamespace)}.";

    /// <summary>A client has the node id of this tenant's proxies, but the certificate of another tenant.</summary>
    [ReportedMessage(
        ProxyEvents.ProxyDenied,
        On = "Tenant",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "If it is a proxy of this tenant, mount the current Secret; else identify the client."
    )]
    public static string CertificateOfOtherTenant(string host, string tenantNamespace, string otherNamespace) =>
        $"Rejected xDS stream from {host}: its certificate is for {otherNamespace}. {MountSecret(tenantNamespace)}; "
        + "else identify the client.";

    private static string DeleteToken(string tenantNamespace, string secrets) => $"kubectl -n {tenantNamespace} delete secret {secrets}";

    private static string MountSecret(string tenantNamespace) =>
        $"If it is a proxy of this tenant, mount the current Secret {CertificateSecrets.Client} of {tenantNamespace}";

    private static string Counted(long count, string kind) => count == 1 ? $"1 {kind}" : $"{Number(count)} {kind}s";

    private static string Causes(IReadOnlyCollection<string> causes) => causes.Count == 0 ? "" : $": {string.Join("; ", causes)}";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
