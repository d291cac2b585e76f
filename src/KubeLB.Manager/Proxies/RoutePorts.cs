using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Proxies;
using KubeLB.Translation.Routes;

namespace KubeLB.Manager.Proxies;

/// <summary>Computes the ports of the tenant's proxies for a Route from the Services generated from it.</summary>
internal static class RoutePorts
{
    private const string H2c = "kubernetes.io/h2c";
    private const string Tcp = "TCP";
    private const string Udp = "UDP";

    /// <summary>
    /// A port of the proxies for each port of a generated Service whose node port is known: from the Route or, if the Route no longer
    /// refers to the Service, from the annotation that the Service was generated with. Every existing Service is served.
    /// </summary>
    /// <param name="route">The Route.</param>
    /// <param name="generated">The Services generated from it.</param>
    /// <param name="permitted">The permitted node ports; ports with another one are skipped.</param>
    public static IReadOnlyList<ProxyPort> Of(Route route, IEnumerable<V1Service> generated, NodePortRanges permitted)
    {
        var kind = RouteOrigin.Of(route)?.Kind;
        var ports = new List<ProxyPort>();
        var sourceServices = ServicesIn(route);
        foreach (var service in generated)
        {
            var nodePorts = NodePorts(
                sourceServices.GetValueOrDefault((service.GetLabel(Labels.OriginNamespace), service.GetLabel(Labels.OriginName))),
                permitted
            );
            var recordedNodePorts = GeneratedNodePorts.Read(service);
            foreach (var port in service.Spec?.Ports ?? [])
            {
                var protocol = port.Protocol ?? Tcp;
                if (protocol == Udp || !int.TryParse(port.TargetPort?.Value, out var listenerPort))
                {
                    continue;
                }

                if (
                    nodePorts.TryGetValue((port.Port, protocol), out var nodePort)
                    || (recordedNodePorts.TryGetValue((port.Port, protocol), out nodePort) && permitted.Contains(nodePort))
                )
                {
                    ports.Add(
                        new ProxyPort(
                            ProxyPorts.NameOf(service.Name(), port.Port, protocol),
                            listenerPort,
                            nodePort,
                            ProtocolOf(kind, port)
                        )
                    );
                }
            }
        }

        return ports;
    }

    // https://gateway-api.sigs.k8s.io/geps/gep-1911/ for appProtocol; gRPC always needs HTTP/2.
    private static ProxyProtocol ProtocolOf(string? kind, V1ServicePort port) =>
        kind switch
        {
            GrpcRoute.KindName => ProxyProtocol.Http2,
            HttpRoute.KindName => port.AppProtocol == H2c ? ProxyProtocol.Http2 : ProxyProtocol.Http1,
            _ => ProxyProtocol.Tcp,
        };

    // The Services are found by labels, not by the Route's status, which is written later: a generated route must be served as soon as it
    // exists.
    private static Dictionary<(string?, string?), RouteService> ServicesIn(Route route)
    {
        var services = new Dictionary<(string?, string?), RouteService>();
        foreach (var service in SourceObject.Read(route).Source?.Services ?? [])
        {
            var (@namespace, name) = SourceServices.OriginOf(service);
            services.TryAdd((@namespace, Labels.Value(name)), service);
        }

        return services;
    }

    private static Dictionary<(int Port, string Protocol), int> NodePorts(RouteService? source, NodePortRanges permitted) =>
        (source?.Spec?.Ports ?? [])
            .Where(p => p?.NodePort is { } nodePort && permitted.Contains(nodePort) && !ProxyPorts.IsReserved(nodePort))
            .DistinctBy(p => (p.Port, p.Protocol ?? Tcp))
            .ToDictionary(p => (p.Port, p.Protocol ?? Tcp), p => p.NodePort!.Value);
}

/// <summary>Protocol at a port of a tenant's proxies and at the node port behind it.</summary>
internal enum ProxyProtocol
{
    /// <summary>TCP.</summary>
    Tcp,

    /// <summary>HTTP, forwarded as HTTP/1.1.</summary>
    Http1,

    /// <summary>HTTP, forwarded as HTTP/2 without TLS (gRPC, h2c).</summary>
    Http2,
}

/// <summary>A port of a tenant's proxies, which forwards to a node port of the tenant's nodes.</summary>
/// <param name="Name">Name of the listener and the cluster, unique per tenant.</param>
/// <param name="ListenerPort">Port of the listener, 1-65535.</param>
/// <param name="NodePort">Port of the nodes, 1-65535.</param>
/// <param name="Protocol">The protocol.</param>
internal sealed record ProxyPort(string Name, int ListenerPort, int NodePort, ProxyProtocol Protocol);
