using System.Net;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Nodes;
using KubeLB.Sandbox.Proxies;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Says where the tenants' proxies serve the ports of generated Services.</summary>
internal interface IProxyEndpoints
{
    /// <summary>Where connections to a port of a Service may go at this moment, the next one first; none if nothing serves it.</summary>
    IReadOnlyList<IPEndPoint> Of(V1Service service, V1ServicePort port);
}

/// <summary>One stand-in per tenant: found by the node id that the Service selects.</summary>
internal sealed class StandInEndpoints(TenantProxies proxies) : IProxyEndpoints
{
    /// <inheritdoc/>
    public IReadOnlyList<IPEndPoint> Of(V1Service service, V1ServicePort port) =>
        service.Spec.Selector?.TryGetValue(Labels.AppName, out var node) == true
        && int.TryParse(port.TargetPort?.Value, out var target)
        && proxies.Resolve(node, target) is { } served
            ? [served]
            : [];
}

/// <summary>Proxies that are pods: the ready endpoints in the Service's EndpointSlices, in turn, as Envoy Gateway has them.</summary>
internal sealed class PodEndpoints([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, PodAddresses published) : IProxyEndpoints
{
    private int _turn = -1;

    /// <inheritdoc/>
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
