using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Services;
using KubeLB.Xds.Snapshots;

namespace KubeLB.Manager.Proxies;

/// <summary>A tenant's Routes, generated Services and node addresses → the configuration of its proxies. Pure.</summary>
internal static class SnapshotBuilder
{
    private const string Http2 = "kubernetes.io/h2c";

    /// <summary>A listener and a cluster per port of a generated Service; every node of the tenant is an endpoint.</summary>
    /// <param name="routes">The tenant's Routes.</param>
    /// <param name="servicesOf">The Services generated from a Route.</param>
    /// <param name="nodes">The tenant's node addresses as they were checked, none twice.</param>
    public static Snapshot Build(IEnumerable<Route> routes, Func<Route, IEnumerable<V1Service>> servicesOf, IReadOnlyList<string> nodes)
    {
        var listeners = new List<ProxyListener>();
        var clusters = new List<ProxyCluster>();
        var ports = new HashSet<int>();
        foreach (var route in routes)
        {
            var isGrpc = RouteOrigin.Of(route)?.Kind == Api.GatewayApi.GrpcRoute.KindName;
            foreach (var service in servicesOf(route))
            {
                var nodePorts = NodePorts(route, service);
                foreach (var port in service.Spec.Ports ?? [])
                {
                    // A port of two Services is one that somebody edited; its repair is under way.
                    if (!int.TryParse(port.TargetPort?.Value, out var listenerPort)
                        || !nodePorts.TryGetValue((port.Port, port.Protocol ?? "TCP"), out var nodePort)
                        || !ports.Add(listenerPort))
                    {
                        continue;
                    }

                    var name = $"{service.Name()}-{port.Port}-{port.Protocol ?? "TCP"}";
                    var isHttp2 = isGrpc || port.AppProtocol == Http2;
                    listeners.Add(new ProxyListener(name, listenerPort, ListenerProtocol.Http, name));
                    clusters.Add(new ProxyCluster(
                        name,
                        isHttp2 ? UpstreamProtocol.Http2 : UpstreamProtocol.Http1,
                        [.. nodes.Select(node => new ProxyEndpoint(node, nodePort))]));
                }
            }
        }

        return new Snapshot(listeners, clusters);
    }

    private static bool IsOriginOf(V1Service generated, RouteService carried)
    {
        var (@namespace, name) = CarriedServices.OriginOf(carried);
        return generated.GetLabel(Labels.OriginNamespace) == @namespace && generated.GetLabel(Labels.OriginName) == Labels.Value(name);
    }

    private static Dictionary<(int Port, string Protocol), int> NodePorts(Route route, V1Service generated)
    {
        // Its labels, not the Route's status: that may come later, and what is generated is to be reachable when it appears.
        var carried = (route.Spec?.Source?.Kubernetes?.Services ?? []).FirstOrDefault(s => IsOriginOf(generated, s));
        return (carried?.Spec?.Ports ?? [])
            .Where(p => p.NodePort is not null)
            .DistinctBy(p => (p.Port, p.Protocol ?? "TCP"))
            .ToDictionary(p => (p.Port, p.Protocol ?? "TCP"), p => p.NodePort!.Value);
    }
}
