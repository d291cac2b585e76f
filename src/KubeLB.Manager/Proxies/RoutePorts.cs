using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Proxies;
using KubeLB.Translation.Routes;

namespace KubeLB.Manager.Proxies;

/// <summary>A Route and the Services generated from it → the ports that the tenant's proxy has for it. Pure.</summary>
internal static class RoutePorts
{
    private const string H2c = "kubernetes.io/h2c";
    private const string Tcp = "TCP";
    private const string Udp = "UDP";

    /// <summary>Name of the proxy's port for a port of a generated Service.</summary>
    public static string NameOf(string service, int port, string protocol = Tcp) => $"{service}-{port}-{protocol}";

    /// <summary>
    /// A port of the proxy for each port of a generated Service whose node port is known: from the Route, or, for what the Route no longer
    /// refers to, from what the Service was generated with. A Service that is there is served.
    /// </summary>
    /// <param name="route">The Route.</param>
    /// <param name="generated">The Services generated from it.</param>
    public static IReadOnlyList<ProxyPort> Of(Route route, IEnumerable<V1Service> generated)
    {
        var kind = RouteOrigin.Of(route)?.Kind;
        var ports = new List<ProxyPort>();
        var carried = Carried(route);
        foreach (var service in generated)
        {
            var nodePorts = NodePorts(
                carried.GetValueOrDefault((service.GetLabel(Labels.OriginNamespace), service.GetLabel(Labels.OriginName)))
            );
            var generatedWith = GeneratedNodePorts.Read(service);
            foreach (var port in service.Spec?.Ports ?? [])
            {
                var protocol = port.Protocol ?? Tcp;
                if (protocol == Udp || !int.TryParse(port.TargetPort?.Value, out var listenerPort))
                {
                    continue;
                }

                if (
                    nodePorts.TryGetValue((port.Port, protocol), out var nodePort)
                    || generatedWith.TryGetValue((port.Port, protocol), out nodePort)
                )
                {
                    ports.Add(new ProxyPort(NameOf(service.Name(), port.Port, protocol), listenerPort, nodePort, ProtocolOf(kind, port)));
                }
            }
        }

        return ports;
    }

    // https://gateway-api.sigs.k8s.io/geps/gep-1911/ for appProtocol; gRPC needs HTTP/2 whatever the Service says.
    private static ProxyProtocol ProtocolOf(string? kind, V1ServicePort port) =>
        kind switch
        {
            GrpcRoute.KindName => ProxyProtocol.Http2,
            HttpRoute.KindName => port.AppProtocol == H2c ? ProxyProtocol.Http2 : ProxyProtocol.Http1,
            _ => ProxyProtocol.Tcp,
        };

    // By their labels, not by the Route's status: that may come later, and what is generated is to be reachable when it appears.
    private static Dictionary<(string?, string?), RouteService> Carried(Route route)
    {
        var carried = new Dictionary<(string?, string?), RouteService>();
        foreach (var service in SourceObject.Read(route).Source?.Services ?? [])
        {
            var (@namespace, name) = SourceServices.OriginOf(service);
            carried.TryAdd((@namespace, Labels.Value(name)), service);
        }

        return carried;
    }

    private static Dictionary<(int Port, string Protocol), int> NodePorts(RouteService? carried) =>
        (carried?.Spec?.Ports ?? [])
            .Where(p => p?.NodePort is >= 1 and <= 65535 && !ProxyPorts.IsReserved(p.NodePort.Value))
            .DistinctBy(p => (p.Port, p.Protocol ?? Tcp))
            .ToDictionary(p => (p.Port, p.Protocol ?? Tcp), p => p.NodePort!.Value);
}
