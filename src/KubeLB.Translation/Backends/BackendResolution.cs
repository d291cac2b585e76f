using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Backends;

/// <summary>The Services behind a route as they are reachable through node ports, and the problems of its backends.</summary>
/// <param name="Services">The source Services of the Route, sorted by namespace and name.</param>
/// <param name="PendingServices">
/// <c>namespace/name</c> of Services that have no node port yet for a port that the route uses. A Service is not pending while its
/// node-port Service cannot be written: that is a problem of the backend.
/// </param>
/// <param name="Rejection">The reason of the first problem and the messages of all; null if every reference is valid.</param>
public sealed record BackendResolution(IReadOnlyList<RouteService> Services, IReadOnlyList<string> PendingServices, Rejection? Rejection)
{
    /// <summary>Resolves every backend of the route.</summary>
    public static BackendResolution Resolve(IGatewayRoute route, ITenantView view, TenantSettings settings)
    {
        var grants = new BackendGrants(route, view, settings);
        var problems = BackendReferences.Of(route).Select(backend => Check(backend, view, grants)).OfType<Rejection>().ToList();
        var services = new List<RouteService>();
        var pending = new List<string>();
        var names = BackendReferences
            .ServicesOf(route)
            .Where(s => grants.IsPermitted(s.Namespace, s.Name))
            .OrderBy(s => s.Namespace, StringComparer.Ordinal)
            .ThenBy(s => s.Name, StringComparer.Ordinal);
        var used = BackendReferences.PortsByService(route);
        foreach (var (@namespace, name) in names)
        {
            // An invalid backend is reported; the other backends of the route are still resolved.
            if (view.Service(@namespace, name) is not { Spec.Ports.Count: > 0 } service || !IsSupported(service))
            {
                continue;
            }

            var ports = used[(@namespace, name)].Distinct().Where(port => BackendPort.Problem(service, port, route.Kind) is null).ToList();
            var needsNodePortService = NodePortService.IsNeededFor(service, ports);
            var reachable = needsNodePortService ? NodePortService.Find(view, @namespace, name) : service;
            if (
                !ports.TrueForAll(port => reachable is not null && NodePortService.HasNodePort(reachable, port))
                && !(needsNodePortService && view.NodePortServiceError(@namespace, name) is not null)
            )
            {
                pending.Add($"{@namespace}/{name}");
            }
            else if (reachable?.Spec.Ports.Any(port => port.NodePort is > 0) == true)
            {
                services.Add(SourceServices.Build(reachable, isNodePortService: needsNodePortService));
            }
        }

        var rejection = problems.Count == 0 ? null : new Rejection(problems[0].Reason, string.Join("\n", problems.Select(p => p.Message)));
        return new BackendResolution(services, pending, rejection);
    }

    private static bool IsSupported(V1Service service) => service.Spec?.Type is null or "ClusterIP" or "NodePort" or "LoadBalancer";

    private static Rejection? Check(BackendReference backend, ITenantView view, BackendGrants grants) =>
        Problem(backend, view, grants) is { } problem
            ? problem with
            {
                Message = BackendMessages.InvalidBackend(backend.Location, problem.Message),
            }
            : null;

    /// <summary>Why a backend is invalid; null if requests can be sent to it.</summary>
    internal static Rejection? Problem(BackendReference backend, ITenantView view, BackendGrants grants)
    {
        if (!backend.IsService)
        {
            return new(
                GatewayConditions.InvalidKind,
                BackendMessages.UnsupportedKind(backend.Ref.Kind ?? V1Service.KubeKind, backend.Ref.Group ?? "")
            );
        }

        // Checked before the Service is looked up, because the message must not disclose whether it exists.
        if (!grants.IsPermitted(backend.Namespace, backend.Ref.Name))
        {
            return new(GatewayConditions.RefNotPermitted, grants.NotPermitted(backend.Namespace, backend.Ref.Name));
        }

        var name = $"{backend.Namespace}/{backend.Ref.Name}";
        if (view.Service(backend.Namespace, backend.Ref.Name) is not { } service)
        {
            return new(
                GatewayConditions.BackendNotFound,
                view.NamespaceLabels(backend.Namespace) is null
                    ? BackendMessages.NamespaceNotFound(name, backend.Namespace)
                    : BackendMessages.ServiceNotFound(name)
            );
        }

        return IsSupported(service)
            ? BackendPort.Problem(service, backend.Ref.Port, backend.RouteKind) ?? NodePortProblem(service, backend, view)
            : new(GatewayConditions.UnsupportedValue, BackendMessages.UnsupportedServiceType(name, service.Spec.Type));
    }

    private static Rejection? NodePortProblem(V1Service service, BackendReference backend, ITenantView view) =>
        NodePortService.IsNeededFor(service, [backend.Ref.Port!.Value])
        && view.NodePortServiceError(backend.Namespace, backend.Ref.Name) is { } error
        // An error about another port of the Service does not affect this one.
        && !(
            NodePortService.Find(view, backend.Namespace, backend.Ref.Name) is { } reachable
            && NodePortService.HasNodePort(reachable, backend.Ref.Port!.Value)
        )
            ? new(
                GatewayConditions.NodePortServiceRejected,
                BackendMessages.NodePortServiceRejected($"{backend.Namespace}/{backend.Ref.Name}", error)
            )
            : null;
}

/// <summary>Validates the port of a Service that a route sends requests to.</summary>
/// <remarks>
/// https://gateway-api.sigs.k8s.io/geps/gep-1911/, https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol
/// </remarks>
public static class BackendPort
{
    /// <summary>Why requests of the route cannot be sent to the port; null if they can.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="number">The port's number in the Service; null if the backendRef has none.</param>
    /// <param name="routeKind">HTTPRoute or GRPCRoute.</param>
    public static Rejection? Problem(V1Service service, int? number, string routeKind)
    {
        var name = $"{service.Namespace()}/{service.Name()}";
        if (number is not { } port)
        {
            return new Rejection(
                GatewayConditions.PortNotSpecified,
                BackendMessages.PortNotSpecified(name, PortsOf(service), service.Spec?.Ports?.Count ?? 0)
            );
        }

        var ports = (service.Spec?.Ports ?? []).Where(p => p.Port == port).ToList();
        if (ports.Count == 0)
        {
            return new Rejection(
                GatewayConditions.PortNotFound,
                BackendMessages.PortNotFound(name, port, PortsOf(service), service.Spec?.Ports?.Count ?? 0)
            );
        }

        if (ports.Find(p => p.Protocol is null or "TCP") is not { } found)
        {
            return new Rejection(
                GatewayConditions.UnsupportedProtocol,
                BackendMessages.UnsupportedPortProtocol(name, port, ports[0].Protocol, routeKind)
            );
        }

        return IsSupported(found.AppProtocol, routeKind)
            ? null
            : new Rejection(
                GatewayConditions.UnsupportedProtocol,
                routeKind == GrpcRoute.KindName
                    ? BackendMessages.UnsupportedGrpcAppProtocol(name, port, found.AppProtocol)
                    : BackendMessages.UnsupportedHttpAppProtocol(name, port, found.AppProtocol)
            );
    }

    private static IEnumerable<string> PortsOf(V1Service service) =>
        (service.Spec?.Ports ?? []).Select(p => BackendMessages.Port(p.Port, p.Protocol));

    // Proxies do not use TLS towards backends, and a WebSocket cannot carry gRPC. All other values are allowed.
    private static bool IsSupported(string? appProtocol, string routeKind) =>
        appProtocol switch
        {
            "https" or "kubernetes.io/wss" => false,
            "kubernetes.io/ws" => routeKind != GrpcRoute.KindName,
            _ => true,
        };
}
