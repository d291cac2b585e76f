using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Services;

namespace KubeLB.Manager.Proxies;

/// <summary>A Route and the Services generated from it → the ports that the tenant's proxy has for it. Pure.</summary>
internal static class RoutePorts
{
    private const string H2c = "kubernetes.io/h2c";
    private const string Udp = "UDP";

    /// <summary>A port of the proxy for each port of a generated Service whose node port is known.</summary>
    public static IReadOnlyList<ProxyPort> Of(Route route, IEnumerable<V1Service> generated)
    {
        var kind = RouteOrigin.Of(route)?.Kind;
        var ports = new List<ProxyPort>();
        foreach (var service in generated)
        {
            var nodePorts = NodePorts(route, service);
            foreach (var port in service.Spec?.Ports ?? [])
            {
                var protocol = port.Protocol ?? "TCP";
                if (protocol != Udp
                    && int.TryParse(port.TargetPort?.Value, out var listenerPort)
                    && nodePorts.TryGetValue((port.Port, protocol), out var nodePort))
                {
                    ports.Add(new ProxyPort($"{service.Name()}-{port.Port}-{protocol}", listenerPort, nodePort, ProtocolOf(kind, port)));
                }
            }
        }

        return ports;
    }

    // https://gateway-api.sigs.k8s.io/geps/gep-1911/ for appProtocol; gRPC needs HTTP/2 whatever the Service says.
    private static ProxyProtocol ProtocolOf(string? kind, V1ServicePort port) => kind switch
    {
        GrpcRoute.KindName => ProxyProtocol.Http2,
        HttpRoute.KindName => port.AppProtocol == H2c ? ProxyProtocol.Http2 : ProxyProtocol.Http1,
        _ => ProxyProtocol.Tcp,
    };

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
