using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;

namespace KubeLB.Translation.Backends;

/// <summary>Judges the port of a Service that a route sends requests to.</summary>
/// <remarks>
/// https://gateway-api.sigs.k8s.io/geps/gep-1911/, https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol
/// </remarks>
public static class BackendPort
{
    /// <summary>What is wrong with the port; null if requests of the route can be sent to it.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="number">The port's number in the Service; null if the route names none.</param>
    /// <param name="routeKind">HTTPRoute or GRPCRoute.</param>
    public static Refusal? Problem(V1Service service, int? number, string routeKind)
    {
        var name = $"{service.Namespace()}/{service.Name()}";
        if (number is not { } port)
        {
            return new Refusal(
                GatewayConditions.PortNotSpecified,
                "A valid port number corresponding to a port on the Service must be specified."
            );
        }

        var ports = (service.Spec?.Ports ?? []).Where(p => p.Port == port).ToList();
        if (ports.Count == 0)
        {
            return new Refusal(GatewayConditions.PortNotFound, $"TCP Port {port} not found on Service {name}.");
        }

        if (ports.Find(p => p.Protocol is null or "TCP") is not { } found)
        {
            return new Refusal(
                GatewayConditions.UnsupportedProtocol,
                $"port {port} of service {name} is of protocol {ports[0].Protocol}; {routeKind}s need a port of protocol TCP."
            );
        }

        return IsSupported(found.AppProtocol, routeKind)
            ? null
            : new Refusal(
                GatewayConditions.UnsupportedProtocol,
                $"port {port} of service {name} is of appProtocol {found.AppProtocol}, which {routeKind}s do not speak to backends; "
                    + Advice(routeKind)
            );
    }

    // Towards backends there is no TLS, and a WebSocket is no gRPC. What is nobody's convention is left to the data plane.
    private static bool IsSupported(string? appProtocol, string routeKind) =>
        appProtocol switch
        {
            "https" or "kubernetes.io/wss" => false,
            "kubernetes.io/ws" => routeKind != GrpcRoute.KindName,
            _ => true,
        };

    private static string Advice(string routeKind) =>
        routeKind == GrpcRoute.KindName
            ? "use a port that speaks gRPC without TLS, of appProtocol kubernetes.io/h2c."
            : "use a port that speaks it without TLS, of appProtocol http, kubernetes.io/h2c or kubernetes.io/ws.";
}
