namespace KubeLB.Api.V1Alpha1;

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
