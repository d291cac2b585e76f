using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Caching;

/// <summary>
/// Finds Tenants by namespace. Two names may result in the same namespace (<c>shop</c> and <c>tenant-shop</c>); one of the Tenants owns it.
/// </summary>
internal static class TenantIndexes
{
    /// <summary>Tenants by namespace.</summary>
    public const string ByTenantNamespace = "tenant-namespace";

    public static IEnumerable<string> TenantNamespace(Tenant tenant) => [TenantNames.Namespace(tenant.Name)];

    /// <summary>The Tenants whose names result in the namespace.</summary>
    public static IReadOnlyList<Tenant> ClaimantsOf(this IInformer<Tenant> tenants, string @namespace) =>
        tenants.ByIndex(ByTenantNamespace, @namespace);

    /// <summary>The Tenant that owns the namespace; null if none does.</summary>
    public static Tenant? HolderOf(this IInformer<Tenant> tenants, string @namespace) =>
        TenantClaims.Holder(tenants.ClaimantsOf(@namespace));
}
