namespace KubeLB.Api.Naming;

/// <summary>Names of a tenant's things in the management cluster.</summary>
public static class TenantNames
{
    /// <summary>Prefix of a tenant's namespace.</summary>
    public const string Prefix = "tenant-";

    /// <summary>ServiceAccount, Role, RoleBinding and token Secret of the tenant's CCM.</summary>
    public const string Ccm = "kubelb-ccm";

    /// <summary>Secret with the CCM's kubeconfig.</summary>
    public const string KubeconfigSecret = "kubelb-ccm-kubeconfig";

    /// <summary>Key of the kubeconfig in <see cref="KubeconfigSecret"/>.</summary>
    public const string KubeconfigKey = "kubelb";

    /// <summary>The tenant's namespace; a name given with the prefix means the same tenant.</summary>
    public static string Namespace(string tenant) => tenant.StartsWith(Prefix, StringComparison.Ordinal) ? tenant : Prefix + tenant;

    /// <summary>The tenant that owns <paramref name="namespace"/>, or null if it is not a tenant's namespace.</summary>
    public static string? TenantOf(string @namespace) =>
        @namespace.StartsWith(Prefix, StringComparison.Ordinal) && @namespace.Length > Prefix.Length ? @namespace[Prefix.Length..] : null;

    /// <summary>Name of the tenant's Envoy workload.</summary>
    public static string Proxy(string tenant) => "envoy-" + Namespace(tenant);
}
