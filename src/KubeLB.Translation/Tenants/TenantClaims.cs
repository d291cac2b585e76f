using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Tenants;

/// <summary>Which Tenant a namespace belongs to, and why another one that asks for it, or for an impossible one, is refused.</summary>
public static class TenantClaims
{
    private const int LongestNamespace = 63;

    /// <summary>The Tenant that has the namespace: the oldest of those that ask for it. Null if there is none.</summary>
    /// <param name="claimants">All Tenants whose names mean the same namespace.</param>
    public static Tenant? Holder(IEnumerable<Tenant> claimants)
    {
        ArgumentNullException.ThrowIfNull(claimants);
        return claimants
            .OrderBy(t => t.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenBy(t => t.Name, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    /// <summary>Why a Tenant cannot be set up, in a sentence that says what to change; null if it can.</summary>
    /// <param name="tenant">The Tenant.</param>
    /// <param name="claimants">All Tenants whose names mean the same namespace, the Tenant itself included or not.</param>
    public static string? Problem(Tenant tenant, IEnumerable<Tenant> claimants)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        var @namespace = TenantNames.Namespace(tenant.Name);
        if (@namespace.Length > LongestNamespace)
        {
            return $"The namespace {@namespace} would have {@namespace.Length} characters, but Kubernetes allows {LongestNamespace}; "
                + $"create the Tenant anew with a name of at most {LongestNamespace - TenantNames.Prefix.Length} characters.";
        }

        if (@namespace.Contains('.', StringComparison.Ordinal))
        {
            return $"{@namespace} cannot be the name of a namespace because of its dots; create the Tenant anew with a name without dots.";
        }

        if (@namespace == TenantNames.Prefix)
        {
            return $"Nothing follows the prefix {TenantNames.Prefix} in the name; create the Tenant anew with a name that says whose it "
                + "is.";
        }

        return Holder(claimants.Append(tenant)) is { } holder && holder.Name != tenant.Name
            ? $"The names {holder.Name} and {tenant.Name} mean the same tenant, and the Tenant {holder.Name}, which is older, has the "
                + $"namespace {@namespace}; "
                + "delete one of the two, or create this one anew under another name."
            : null;
    }
}
