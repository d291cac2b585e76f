using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Proxies.Acknowledgements;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using KubeLB.Translation.Backends;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Delays the update of a generated route until the tenant's proxies serve the backends that it does not refer to yet, so that a change of
/// backends loses no request.
/// </summary>
internal sealed class NewBackends(
    GeneratedObjects generatedObjects,
    ProxyConfigurations configurations,
    ProxyAcknowledgements acknowledgements
)
{
    /// <summary>Whether the proxies have acknowledged the backends that the generated route does not refer to yet.</summary>
    public BackendAcknowledgement AcknowledgementOf(Route route, EnvoyGatewayTranslation plan)
    {
        if (plan.Generated is not IGatewayRoute desired)
        {
            return BackendAcknowledgement.Ready;
        }

        var key = ResourceKey.Of(route);
        var services = plan.Services.Select(p => p.Service.Name()).ToHashSet(StringComparer.Ordinal);
        var added = PortsOf(desired).Where(p => services.Contains(p.Service)).ToHashSet();
        added.ExceptWith(generatedObjects.RouteOf(plan.Generated) is { } present ? PortsOf(present) : []);
        if (added.Count > 0)
        {
            ReconcileTrace.Current?.Change?.BeginWait(Waits.Proxies);

            // The watch events of the written Services arrive later, so the configuration is rebuilt here.
            configurations.RefreshRoute(key);
        }

        return acknowledgements.AcknowledgementOf(key, [.. added.Select(p => ProxyPorts.NameOf(p.Service, p.Port))]);
    }

    /// <summary>
    /// Removes Services that neither the existing nor the planned route refers to, if there are too many of them because a Route changes
    /// its backends continuously while it waits.
    /// </summary>
    public async Task RemoveSurplusServicesAsync(Route route, EnvoyGatewayTranslation plan, CancellationToken cancellationToken)
    {
        if (generatedObjects.ServicesOf(route).Skip(plan.Services.Count + ServiceDrain.MaxServices).Any())
        {
            var kept = plan.Services.Select(p => p.Service.Name()).ToHashSet(StringComparer.Ordinal);
            kept.UnionWith(generatedObjects.RouteOf(plan.Generated!) is { } present ? PortsOf(present).Select(p => p.Service) : []);
            await generatedObjects
                .RemoveAsync(route, (kind, name) => kind != V1Service.KubeKind || kept.Contains(name), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    /// <summary>Ends the wait of a Route.</summary>
    public void Forget(ResourceKey route) => acknowledgements.Forget(route);

    private static IEnumerable<(string Service, int Port)> PortsOf(IGatewayRoute route) =>
        BackendReferences.Of(route).Where(b => b.IsService && b.Ref.Port is not null).Select(b => (b.Ref.Name, b.Ref.Port!.Value));
}
