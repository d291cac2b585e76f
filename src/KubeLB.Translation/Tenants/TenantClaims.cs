using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Tenants;

/// <summary>Which Tenant owns a namespace, and why another Tenant with the same or an invalid namespace is rejected.</summary>
public static class TenantClaims
{
    private const int MaxNamespaceLength = 63;

    /// <summary>The Tenant that owns the namespace: the oldest one that claims it. Null if no Tenant claims it.</summary>
    /// <param name="claimants">All Tenants with the same namespace.</param>
    public static Tenant? Holder(IEnumerable<Tenant> claimants)
    {
        ArgumentNullException.ThrowIfNull(claimants);
        return claimants
            .OrderBy(t => t.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenBy(t => t.Name, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    /// <summary>Why a Tenant cannot be set up, and how to correct it; null if it can.</summary>
    /// <param name="tenant">The Tenant.</param>
    /// <param name="claimants">All Tenants with the same namespace, with or without the Tenant itself.</param>
    public static string? Problem(Tenant tenant, IEnumerable<Tenant> claimants)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        var @namespace = TenantNames.Namespace(tenant.Name);
        if (@namespace.Length > MaxNamespaceLength)
        {
            return TenantMessages.NameTooLong(@namespace, MaxNamespaceLength, MaxNamespaceLength - TenantNames.Prefix.Length);
        }

        if (@namespace.Contains('.', StringComparison.Ordinal))
        {
            return TenantMessages.NameHasDots(@namespace);
        }

        if (@namespace == TenantNames.Prefix)
        {
            return TenantMessages.NameIsPrefix;
        }

        return Holder(claimants.Append(tenant)) is { } holder && holder.Name != tenant.Name
            ? TenantMessages.NamespaceConflict(holder.Name, @namespace)
            : null;
    }
}
