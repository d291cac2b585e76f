using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Proxies;
using KubeLB.Translation.Routes;

namespace KubeLB.Inspection.Metrics;

/// <summary>The proxies of one tenant, and what their ports serve, from the objects of the management cluster.</summary>
/// <param name="Tenant">Name of the tenant.</param>
/// <param name="Pods">The ready pods, with their UIDs.</param>
/// <param name="Ports">The tenant's objects behind the ports, by the names in the proxies' metrics.</param>
internal sealed record TenantProxies(
    string Tenant,
    IReadOnlyList<(ResourceKey Name, string Uid)> Pods,
    IReadOnlyDictionary<string, TrafficTarget> Ports
)
{
    private const string Tcp = "TCP";

    /// <summary>Number of pods that are not ready, or are terminating.</summary>
    public int OtherPods { get; init; }

    /// <summary>Reads the proxies of tenants.</summary>
    /// <param name="management">The objects of the management cluster.</param>
    /// <param name="tenantNamespace">The only tenant's namespace; null for all.</param>
    public static ProxyInventory Read(IObjects management, string? tenantNamespace)
    {
        ArgumentNullException.ThrowIfNull(management);
        var scope = tenantNamespace ?? "";
        var selector = $"{Labels.AppManagedBy}={Labels.ManagedByKubelb}";
        var pods = management.List<V1Pod>(scope, tenantNamespace is null ? selector : $"{Labels.AppName}={tenantNamespace}");
        var services = management.List<V1Service>(scope, $"{Labels.ManagedBy}={Labels.ManagedByKubelb}");
        var routes = management.List<Route>(scope);
        var podsOf = pods.Items.Where(IsProxy).ToLookup(p => p.Namespace(), StringComparer.Ordinal);
        var servicesOf = services.Items.ToLookup(s => s.Namespace(), StringComparer.Ordinal);
        var routesOf = routes.Items.ToLookup(r => r.Namespace, StringComparer.Ordinal);
        return new ProxyInventory(
            [
                .. podsOf
                    .Select(p => p.Key)
                    .Concat(servicesOf.Select(s => s.Key))
                    .Where(n => TenantNames.TenantOf(n) is not null)
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal)
                    .Select(n => Of(n, [.. podsOf[n]], servicesOf[n], [.. routesOf[n]])),
            ],
            [.. new[] { pods.Unreadable, services.Unreadable, routes.Unreadable }.OfType<string>().Distinct(StringComparer.Ordinal)]
        );
    }

    private static TenantProxies Of(string @namespace, List<V1Pod> pods, IEnumerable<V1Service> services, List<Route> routes)
    {
        var origins = routes.ToDictionary(r => r.Metadata.Uid ?? r.Name, RouteOrigin.Of, StringComparer.Ordinal);

        // Services that the Go manager generated have no owner; the status of their Route names them.
        var named = routes
            .SelectMany(r =>
                (r.Status?.Resources?.Services?.Values ?? Enumerable.Empty<GeneratedService>()).Select(s => (s?.GeneratedName, r))
            )
            .Where(s => s.GeneratedName is { Length: > 0 })
            .ToLookup(s => s.GeneratedName!, s => s.r.Metadata.Uid ?? s.r.Name, StringComparer.Ordinal);
        var ready = pods.Where(ManagementHops.IsReady).ToList();
        return new TenantProxies(
            TenantNames.TenantOf(@namespace)!,
            [.. ready.Select(p => (ResourceKey.Of(p), p.Uid() ?? ""))],
            services
                .SelectMany(service => (service.Spec?.Ports ?? []).Select(port => (service, port)))
                .ToDictionary(
                    s => ProxyPorts.NameOf(s.service.Name(), s.port.Port, s.port.Protocol ?? Tcp),
                    s =>
                        Target(
                            s.service,
                            s.port.Port,
                            origins.GetValueOrDefault(OwnerOf(s.service) ?? named[s.service.Name()].FirstOrDefault() ?? "")
                        ),
                    StringComparer.Ordinal
                )
        )
        {
            OtherPods = pods.Count - ready.Count,
        };
    }

    private static TrafficTarget Target(V1Service service, int port, RouteOrigin? origin) =>
        new(origin?.Kind, origin?.Namespace, origin?.Name)
        {
            Service = service.GetLabel(Labels.OriginName) is { } name ? $"{service.GetLabel(Labels.OriginNamespace)}/{name}:{port}" : null,
        };

    private static string? OwnerOf(V1Service service) =>
        service.Metadata.OwnerReferences?.FirstOrDefault(o => o.Kind == Route.KindName && o.ApiVersion == KubelbVersion.ApiVersion)?.Uid;

    private static bool IsProxy(V1Pod pod) => pod.GetLabel(Labels.AppName) == pod.Namespace();
}

/// <summary>The proxies of tenants.</summary>
/// <param name="Tenants">The tenants with proxies or generated Services, by name.</param>
/// <param name="Unreadable">What could not be read.</param>
internal sealed record ProxyInventory(IReadOnlyList<TenantProxies> Tenants, IReadOnlyList<string> Unreadable);

/// <summary>A tenant's objects behind a port of its proxies.</summary>
/// <param name="Kind">HTTPRoute or GRPCRoute; null if the Route of the generated Service could not be found.</param>
/// <param name="Namespace">Namespace of the route in the tenant's cluster.</param>
/// <param name="Name">Name of the route.</param>
public sealed record TrafficTarget(string? Kind, string? Namespace, string? Name)
{
    /// <summary>The Service in the tenant's cluster, <c>NAMESPACE/NAME:PORT</c>; null if it is not known.</summary>
    public string? Service { get; init; }
}
