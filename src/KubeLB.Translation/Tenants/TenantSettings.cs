namespace KubeLB.Translation.Tenants;

/// <summary>Settings of a CCM that translation depends on.</summary>
/// <param name="TenantNamespace">The tenant's namespace in the management cluster, <c>tenant-t</c>.</param>
/// <param name="UseGatewayClass">Whether a Gateway is ours by its class only; false: every Gateway is ours.</param>
/// <param name="EnforceReferenceGrants">
/// Whether a backend in another namespace than its route's needs a ReferenceGrant there. Certificates always do.
/// </param>
public sealed record TenantSettings(string TenantNamespace, bool UseGatewayClass = true, bool EnforceReferenceGrants = false)
{
    /// <summary>Whether Gateways are carried to the management cluster by this CCM.</summary>
    public bool CarriesGateways { get; init; } = true;
}
