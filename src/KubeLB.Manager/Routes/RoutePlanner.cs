using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Services;
using KubeLB.Manager.Settings;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Routes;

/// <summary>Gathers the inputs of a Route's translation (caches, settings, quota, ports) and translates it.</summary>
internal sealed class RoutePlanner(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    RouteQuota quota,
    HostnameUse hostnames
)
{
    /// <summary>The objects to generate from a Route, or the reason why none are generated.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="reservation">Allocates ports of the tenant's proxies.</param>
    public EnvoyGatewayTranslation Plan(Route route, PortReservation reservation)
    {
        try
        {
            return EnvoyGatewayTranslator.Translate(
                route,
                settings.PolicyOf(route.Namespace),
                new ManagementView(management, quota, hostnames, route.Namespace),
                reservation.Allocate
            );
        }
        catch (PortsExhaustedException e)
        {
            return EnvoyGatewayTranslation.Failed(RouteOrigin.Of(route), e.Message, RouteConditions.PortsExhausted);
        }
    }
}
