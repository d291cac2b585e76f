using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>A customer's cluster. Cluster-scoped; owns the namespace <c>tenant-&lt;name&gt;</c>.</summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class Tenant : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "Tenant";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "tenants";

    /// <summary>An empty object of the right type.</summary>
    public Tenant()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Settings that override the Config's.</summary>
    public TenantSpec? Spec { get; set; }

    /// <summary>Whether the tenant is set up.</summary>
    public TenantStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="Tenant"/>.</summary>
public sealed class TenantSpec : LayeredSettings
{
    /// <summary>Settings of the tenant's proxies.</summary>
    public TenantEnvoyProxy? EnvoyProxy { get; set; }

    /// <summary>Which node addresses of the tenant are used, overriding the Config's.</summary>
    public AddressSettings? Addresses { get; set; }
}

/// <summary>Status of a <see cref="Tenant"/>.</summary>
public sealed class TenantStatus : Extensible
{
    /// <summary>Generation of the spec that the status was computed for.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>One of <see cref="TenantPhases"/>.</summary>
    public string? Phase { get; set; }

    /// <summary>
    /// Condition <c>Ready</c>; and, while there is a problem, <see cref="SettingsConditions.SettingsValid"/>,
    /// <see cref="TenantProxyConditions.ProxiesAvailable"/>, <see cref="TenantTokenConditions.TokenRotated"/>,
    /// <see cref="TenantHostnameConditions.HostnamesUnique"/>, <see cref="TenantDefaultsConditions.DefaultsCurrent"/> and those of
    /// <see cref="TenantCcmConditions"/>.
    /// </summary>
    public List<Condition>? Conditions { get; set; }

    /// <summary>Figures for <c>kubectl get tenants</c>. An addition of this project.</summary>
    public TenantSummary? Summary { get; set; }
}

/// <summary>
/// Figures of a tenant for <c>kubectl get tenants</c>. Up to half a minute old. A field is absent if its value is unknown.
/// </summary>
public sealed class TenantSummary : Extensible
{
    /// <summary>When the CCM last reported, RFC 3339 in UTC.</summary>
    public string? CcmLastSeen { get; set; }

    /// <summary>Version of the CCM.</summary>
    public string? CcmVersion { get; set; }

    /// <summary>Number of HTTPRoutes and GRPCRoutes.</summary>
    public int? Routes { get; set; }

    /// <summary>Number of Gateways.</summary>
    public int? Gateways { get; set; }

    /// <summary>Ready and desired proxies, for example <c>2/2</c>; null without proxies.</summary>
    public string? Proxies { get; set; }

    /// <summary>Number of node addresses that are used.</summary>
    public int? Addresses { get; set; }
}

/// <summary>Phases of a tenant.</summary>
public static class TenantPhases
{
    /// <summary>Not set up yet.</summary>
    public const string Pending = "Pending";

    /// <summary>Set up.</summary>
    public const string Ready = "Ready";

    /// <summary>Could not be set up; see the condition.</summary>
    public const string Failed = "Failed";

    /// <summary>Being removed.</summary>
    public const string Terminating = "Terminating";
}

/// <summary>Reasons of condition Ready of a Tenant, and of Events on it.</summary>
public static class TenantReasons
{
    /// <summary>Ready is True: the tenant is set up.</summary>
    public const string Reconciled = "Reconciled";

    /// <summary>Ready is False: the tenant is being removed.</summary>
    public const string Terminating = "Terminating";

    /// <summary>Ready is False: the name is invalid, or an older Tenant owns the namespace.</summary>
    public const string InvalidName = "InvalidName";

    /// <summary>Ready is False: the URL of the API server for tenants is unknown or invalid.</summary>
    public const string NoServerUrl = "NoServerURL";

    /// <summary>Ready is False: a Secret of another type has the name of the token's Secret.</summary>
    public const string TokenSecretConflict = "TokenSecretConflict";

    /// <summary>Ready is False: the token controller has not written the token.</summary>
    public const string WaitingForToken = "WaitingForToken";

    /// <summary>Ready is False: the namespace of a deleted Tenant of this name still exists.</summary>
    public const string WaitingForNamespace = "WaitingForNamespace";

    /// <summary>Ready is False: the API server rejected a request; the manager retries.</summary>
    public const string ReconciliationFailed = "ReconciliationFailed";

    /// <summary>Of an Event: PodMonitors are not installed.</summary>
    public const string PodMonitorUnavailable = "PodMonitorUnavailable";

    /// <summary>Of an Event: the API server rejected an object of the proxies.</summary>
    public const string ProxiesNotDeployed = "ProxiesNotDeployed";

    /// <summary>Of an Event: the rollout of the proxies makes no progress.</summary>
    public const string ProxyRolloutStuck = "ProxyRolloutStuck";

    /// <summary>Of an Event: another Tenant lists one of the tenant's node addresses.</summary>
    public const string AddressesOverlap = "AddressesOverlap";
}

/// <summary>
/// Conditions of a Tenant about its CCM; present only while there is a problem. An addition of this project.
/// </summary>
public static class TenantCcmConditions
{
    /// <summary>Type: False while a CCM of another cluster is rejected. Also the reason of the Event after it is resolved.</summary>
    public const string ClusterAccepted = "ClusterAccepted";

    /// <summary>Reason of False; the message names both clusters.</summary>
    public const string ClusterMismatch = "ClusterMismatch";

    /// <summary>Type: False while the CCM has not reported for an hour. Also the reason of the Event when it reports again.</summary>
    public const string CcmConnected = "CcmConnected";

    /// <summary>Reason of False; the message has the time of the last report.</summary>
    public const string CcmNotSeen = "CcmNotSeen";
}

/// <summary>
/// The condition of a Tenant while the token of its CCM is rotated (<see cref="Annotations.RotateToken"/>). An addition of this project.
/// </summary>
public static class TenantTokenConditions
{
    /// <summary>Type: False while the previous token is valid, too. Also the reason of the Event when it is revoked.</summary>
    public const string TokenRotated = "TokenRotated";

    /// <summary>Reason of False: the previous token is valid until the CCM uses the new one.</summary>
    public const string WaitingForCcm = "WaitingForCCM";
}

/// <summary>
/// The condition of a Tenant that has the defaults of an earlier version (<see cref="Annotations.Defaults"/>); absent otherwise. An
/// addition of this project.
/// </summary>
public static class TenantDefaultsConditions
{
    /// <summary>
    /// Type: False, with reason <see cref="RouteConditions.EarlierDefaults"/>, while the defaults are those of an earlier version. Also the
    /// reason of the Event when they are the current ones.
    /// </summary>
    public const string DefaultsCurrent = "DefaultsCurrent";
}

/// <summary>
/// The condition of a Tenant whose hostnames other tenants use as well; present only while there are some. An addition of this project.
/// </summary>
public static class TenantHostnameConditions
{
    /// <summary>
    /// Type: False while hostnames overlap those of other tenants. Also the reason of the Event when there are none left.
    /// </summary>
    public const string HostnamesUnique = "HostnamesUnique";

    /// <summary>Reason of False; the message has a hostname for each of up to three tenants.</summary>
    public const string HostnamesOverlap = "HostnamesOverlap";
}

/// <summary>
/// The condition of a Config, a Tenant, and the Routes of Gateways, about the GatewayClass of generated Gateways; present only while there
/// is a problem. An addition of this project.
/// </summary>
public static class GatewayClassConditions
{
    /// <summary>Type: False while no controller serves the Gateways of the configured class.</summary>
    public const string GatewayClassReady = "GatewayClassReady";

    /// <summary>Reason of False: the management cluster has no GatewayClass of the configured name.</summary>
    public const string GatewayClassNotFound = "GatewayClassNotFound";

    /// <summary>Reason of False: the controller of the GatewayClass rejects it.</summary>
    public const string GatewayClassNotAccepted = "GatewayClassNotAccepted";

    /// <summary>Reason of True, on the Config only.</summary>
    public const string GatewayClassAccepted = "GatewayClassAccepted";

    /// <summary>Reason of Unknown, on the Config only: no controller has accepted or rejected the GatewayClass.</summary>
    public const string GatewayClassPending = "GatewayClassPending";
}

/// <summary>
/// The condition of a Tenant, and of the Routes of its Gateways, about its proxies; present only while there is a problem. An addition of
/// this project.
/// </summary>
public static class TenantProxyConditions
{
    /// <summary>Type: False while no proxy of the tenant is available.</summary>
    public const string ProxiesAvailable = "ProxiesAvailable";

    /// <summary>Reason of False; the message has a command for details.</summary>
    public const string NoProxyAvailable = "NoProxyAvailable";
}
