using System.Net;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Nodes;
using KubeLB.Sandbox.Proxies;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Resolves the tenant proxies behind generated Services.</summary>
internal interface IProxyEndpoints
{
    /// <summary>The current endpoints of a Service port in order of preference; empty if it has none.</summary>
    IReadOnlyList<IPEndPoint> Of(V1Service service, V1ServicePort port);
}

/// <summary>Resolves the stand-in of a tenant by the node id in the Service's selector.</summary>
internal sealed class StandInEndpoints(TenantProxies proxies) : IProxyEndpoints
{
    public IReadOnlyList<IPEndPoint> Of(V1Service service, V1ServicePort port) =>
        service.Spec.Selector?.TryGetValue(Labels.AppName, out var node) == true
        && int.TryParse(port.TargetPort?.Value, out var target)
        && proxies.Resolve(node, target) is { } served
            ? [served]
            : [];
}

/// <summary>
/// Resolves proxies that are pods: the ready endpoints of the Service's EndpointSlices, round robin, as in Envoy Gateway.
/// </summary>
internal sealed class PodEndpoints([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, PodAddresses published) : IProxyEndpoints
{
    private int _turn = -1;

    public IReadOnlyList<IPEndPoint> Of(V1Service service, V1ServicePort port)
    {
        var all = new List<IPEndPoint>();
        foreach (
            var slice in cluster.Informer<V1EndpointSlice>().ByIndex(EnvoyGatewayHost.BySliceService, ResourceKey.Of(service).ToString())
        )
        {
            var target = slice.Ports?.FirstOrDefault(p => (p.Name ?? "") == (port.Name ?? ""))?.Port;
            all.AddRange(
                (target is null ? [] : slice.Endpoints ?? [])
                    .Where(e => e.Conditions?.Ready != false && e.Conditions?.Terminating != true)
                    .SelectMany(e => e.Addresses)
                    .Select(a => new IPEndPoint(published.Resolve(IPAddress.Parse(a)), target!.Value))
            );
        }

        var first = all.Count == 0 ? 0 : (int)((uint)Interlocked.Increment(ref _turn) % (uint)all.Count);
        return [.. all.Skip(first), .. all.Take(first)];
    }
}
