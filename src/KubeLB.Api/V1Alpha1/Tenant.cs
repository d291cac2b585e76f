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

    /// <summary>Settings that win over the Config's.</summary>
    public TenantSpec? Spec { get; set; }

    /// <summary>How far the tenant is set up.</summary>
    public TenantStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="Tenant"/>.</summary>
public sealed class TenantSpec : LayeredSettings
{
    /// <summary>Settings of the tenant's proxies.</summary>
    public TenantEnvoyProxy? EnvoyProxy { get; set; }

    /// <summary>Which node addresses of the tenant are used, over what the Config says.</summary>
    public AddressSettings? Addresses { get; set; }
}

/// <summary>Status of a <see cref="Tenant"/>.</summary>
public sealed class TenantStatus : Extensible
{
    /// <summary>Generation of the spec that the status speaks of.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>One of <see cref="TenantPhases"/>.</summary>
    public string? Phase { get; set; }

    /// <summary>
    /// Condition <c>Ready</c>; and, while something is wrong, <see cref="SettingsConditions.SettingsValid"/>,
    /// <see cref="TenantProxyConditions.ProxiesAvailable"/> and those of <see cref="TenantCcmConditions"/>.
    /// </summary>
    public List<Condition>? Conditions { get; set; }
}

/// <summary>Phases of a tenant.</summary>
public static class TenantPhases
{
    /// <summary>Not set up yet.</summary>
    public const string Pending = "Pending";

    /// <summary>Set up.</summary>
    public const string Ready = "Ready";

    /// <summary>Could not be set up; the condition says why.</summary>
    public const string Failed = "Failed";

    /// <summary>Being removed.</summary>
    public const string Terminating = "Terminating";
}

/// <summary>
/// Conditions of a Tenant that speak of its CCM; they are there only while something is wrong. An addition of this project.
/// </summary>
public static class TenantCcmConditions
{
    /// <summary>Type: False while a CCM of another cluster is rejected. Also the reason of the Event that it is over.</summary>
    public const string ClusterAccepted = "ClusterAccepted";

    /// <summary>Reason of False; the message names both clusters.</summary>
    public const string ClusterMismatch = "ClusterMismatch";

    /// <summary>Type: False while the CCM has not reported for an hour. Also the reason of the Event that it reports again.</summary>
    public const string CcmConnected = "CcmConnected";

    /// <summary>Reason of False; the message says since when.</summary>
    public const string CcmNotSeen = "CcmNotSeen";
}

/// <summary>
/// The condition of a Tenant, and of the Routes of its Gateways, that speaks of its proxies; it is there only while something is wrong. An
/// addition of this project.
/// </summary>
public static class TenantProxyConditions
{
    /// <summary>Type: False while no proxy of the tenant serves.</summary>
    public const string ProxiesAvailable = "ProxiesAvailable";

    /// <summary>Reason of False; the message says where to look.</summary>
    public const string NoProxyAvailable = "NoProxyAvailable";
}
