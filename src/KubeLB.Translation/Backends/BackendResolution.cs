using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Backends;

/// <summary>The Services behind a route as node ports reach them, and what is wrong with its backends.</summary>
/// <param name="Services">Services to carry, sorted by namespace and name.</param>
/// <param name="Waiting"><c>namespace/name</c> of Services whose node ports are not there yet.</param>
/// <param name="Refusal">The first problem's reason, and the sentences of all; null if every reference resolves.</param>
public sealed record BackendResolution(IReadOnlyList<RouteService> Services, IReadOnlyList<string> Waiting, Refusal? Refusal)
{
    /// <summary>Resolves every backend of the route.</summary>
    public static BackendResolution Of(IGatewayRoute route, ITenantView view, TenantSettings settings)
    {
        var grants = new BackendGrants(route, view, settings);
        var problems = BackendReferences.Of(route).Select(backend => Check(backend, view, grants)).OfType<Refusal>().ToList();

        var services = new List<RouteService>();
        var waiting = new List<string>();
        var names = BackendReferences
            .ServicesOf(route)
            .Where(s => grants.Permit(s.Namespace, s.Name))
            .OrderBy(s => s.Namespace, StringComparer.Ordinal)
            .ThenBy(s => s.Name, StringComparer.Ordinal);
        foreach (var (@namespace, name) in names)
        {
            // What is wrong is told and not waited for: the rest of the route works without it.
            if (view.Service(@namespace, name) is not { Spec.Ports.Count: > 0 } service || !IsSupported(service))
            {
                continue;
            }

            var needsNodePortService = NodePortService.IsNeededFor(service);
            var reachable = needsNodePortService ? NodePortService.Find(view, @namespace, name) : service;
            if (reachable is not null && NodePortService.IsReady(reachable) && (!needsNodePortService || HasPortsOf(reachable, service)))
            {
                services.Add(ReachableService.From(reachable, isTwin: needsNodePortService));
            }
            else
            {
                waiting.Add($"{@namespace}/{name}");
            }
        }

        var refusal = problems.Count == 0 ? null : new Refusal(problems[0].Reason, string.Join("\n", problems.Select(p => p.Message)));
        return new BackendResolution(services, waiting, refusal);
    }

    // A twin that lags behind its Service would make a Route that is complete, but wrong.
    private static bool HasPortsOf(V1Service twin, V1Service service) =>
        (service.Spec.Ports ?? []).All(port =>
            twin.Spec.Ports.Any(p => p.Port == port.Port && (p.Protocol ?? "TCP") == (port.Protocol ?? "TCP"))
        );

    private static bool IsSupported(V1Service service) => service.Spec?.Type is null or "ClusterIP" or "NodePort" or "LoadBalancer";

    private static Refusal? Check(BackendReference backend, ITenantView view, BackendGrants grants)
    {
        var (reason, problem) = Problem(backend, view, grants);
        return reason is null ? null : new Refusal(reason, $"Failed to process route {backend.Where}: {problem}");
    }

    private static (string? Reason, string? Problem) Problem(BackendReference backend, ITenantView view, BackendGrants grants)
    {
        if (!backend.IsService)
        {
            return (
                GatewayConditions.InvalidKind,
                $"kind {backend.Ref.Kind ?? "Service"} of group \"{backend.Ref.Group}\" is not supported, only Service of the core group is."
            );
        }

        // Before anything is said about the Service: whether it exists is not to be told either.
        if (!grants.Permit(backend.Namespace, backend.Ref.Name))
        {
            return (GatewayConditions.RefNotPermitted, $"backend ref to {grants.Refusal(backend.Namespace, backend.Ref.Name)}.");
        }

        var name = $"{backend.Namespace}/{backend.Ref.Name}";
        if (view.Service(backend.Namespace, backend.Ref.Name) is not { } service)
        {
            return (GatewayConditions.BackendNotFound, $"service {name} not found.");
        }

        if (!IsSupported(service))
        {
            return (
                GatewayConditions.UnsupportedValue,
                $"service {name} is of type {service.Spec.Type}, which has no node ports; use ClusterIP, NodePort or LoadBalancer."
            );
        }

        return BackendPort.Problem(service, backend.Ref.Port, backend.RouteKind) is { } problem
            ? (problem.Reason, problem.Message)
            : (null, null);
    }
}
