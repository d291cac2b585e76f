using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Tenants;

/// <summary>Finds Tenants by the namespace that their names mean; there may be two of one namespace, of which one has it.</summary>
internal static class TenantIndexes
{
    /// <summary>Tenants by namespace.</summary>
    public const string ByTenantNamespace = "tenant-namespace";

    public static IEnumerable<string> TenantNamespace(Tenant tenant) => [TenantNames.Namespace(tenant.Name)];

    /// <summary>The Tenants whose names mean the namespace.</summary>
    public static IReadOnlyList<Tenant> ClaimantsOf(this IInformer<Tenant> tenants, string @namespace) =>
        tenants.ByIndex(ByTenantNamespace, @namespace);

    /// <summary>The Tenant that has the namespace; null if none.</summary>
    public static Tenant? HolderOf(this IInformer<Tenant> tenants, string @namespace) =>
        TenantClaims.Holder(tenants.ClaimantsOf(@namespace));
}
