using KubeLB.Api.GatewayApi;

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

    /// <summary>Whether HTTPRoutes are carried.</summary>
    public bool CarriesHttpRoutes { get; init; } = true;

    /// <summary>Whether GRPCRoutes are carried.</summary>
    public bool CarriesGrpcRoutes { get; init; } = true;

    /// <summary>Whether routes of a kind are carried.</summary>
    public bool Carries(string kind) =>
        kind switch
        {
            HttpRoute.KindName => CarriesHttpRoutes,
            GrpcRoute.KindName => CarriesGrpcRoutes,
            _ => false,
        };
}
