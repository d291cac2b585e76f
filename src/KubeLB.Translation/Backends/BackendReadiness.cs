using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Backends;

/// <summary>Whether the Services that a route sends requests to have ready endpoints, according to their EndpointSlices.</summary>
/// <remarks>
/// A process that does not listen on a numeric targetPort is not detected: Kubernetes reports it only if the pod has a readiness probe.
/// https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
/// </remarks>
public static class BackendReadiness
{
    /// <summary>
    /// The messages about all backends without a ready endpoint; null if there is none. Invalid backends, those of weight 0 and mirrors are
    /// ignored.
    /// </summary>
    /// <param name="route">The route.</param>
    /// <param name="view">The Services and EndpointSlices of the tenant's cluster.</param>
    /// <param name="settings">Whether backends in other namespaces require a ReferenceGrant.</param>
    public static Rejection? Problem(IGatewayRoute route, ITenantView view, TenantSettings settings)
    {
        var grants = new BackendGrants(route, view, settings);
        var messages = route
            .Rules.SelectMany(rule => rule.BackendRefs ?? [])
            .Where(backend => backend.Weight is not 0)
            .Select(backend => new BackendReference("", backend, backend.Namespace ?? route.Metadata.NamespaceProperty, route.Kind))
            .Where(backend => BackendResolution.Problem(backend, view, grants) is null)
            .Select(backend => (backend.Namespace, backend.Ref.Name, Port: backend.Ref.Port!.Value))
            .Distinct()
            .Select(backend => ProblemOf(view.Service(backend.Namespace, backend.Name)!, backend.Port, view))
            .OfType<string>()
            .Distinct()
            .ToList();
        return messages.Count == 0 ? null : new Rejection(GatewayConditions.NoReadyEndpoints, string.Join("\n", messages));
    }

    /// <summary>Whether two versions of an EndpointSlice are equally ready: nothing that <see cref="Problem"/> reads differs.</summary>
    public static bool IsEquivalent(V1EndpointSlice left, V1EndpointSlice right) =>
        Facts(left) == Facts(right) && left.Metadata.Labels.IsSame(right.Metadata.Labels);

    /// <summary>
    /// Removes what <see cref="Problem"/> does not read from an EndpointSlice that Kubernetes created for a Service with a selector: at
    /// most one ready and one unready endpoint is left, without addresses. Other EndpointSlices are unchanged, because they may be
    /// mirrored.
    /// </summary>
    public static V1EndpointSlice Reduce(V1EndpointSlice slice)
    {
        if (!MirroredEndpointSlices.IsOfSelector(slice))
        {
            return slice;
        }

        var metadata = slice.Metadata;
        return new V1EndpointSlice
        {
            ApiVersion = slice.ApiVersion,
            Kind = slice.Kind,
            Metadata = new V1ObjectMeta
            {
                Name = metadata.Name,
                NamespaceProperty = metadata.NamespaceProperty,
                Uid = metadata.Uid,
                ResourceVersion = metadata.ResourceVersion,
                CreationTimestamp = metadata.CreationTimestamp,
                Labels = metadata.Labels,
            },
            AddressType = slice.AddressType,
            Endpoints =
            [
                .. (slice.Endpoints ?? [])
                    .Select(IsReady)
                    .Distinct()
                    .Select(ready => new V1Endpoint
                    {
                        Addresses = [],
                        Conditions = new V1EndpointConditions { Ready = ready },
                    }),
            ],
            Ports = slice.Ports,
        };
    }

    /// <summary>The message about a valid backend without a ready endpoint; null if it has one.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="number">The port in the Service.</param>
    /// <param name="view">The EndpointSlices.</param>
    internal static string? ProblemOf(V1Service service, int number, ITenantView view)
    {
        var name = $"{service.Namespace()}/{service.Name()}";
        var hasSelector = service.Spec.Selector is { Count: > 0 };
        var isMirrored = MirroredEndpointSlices.AreNeededFor(service);
        var slices = view.EndpointSlices(service.Namespace(), service.Name())
            .Where(slice => IsUsable(slice) && !(isMirrored && MirroredEndpointSlices.IsOfSelector(slice)))
            .ToList();
        if (slices.Count == 0)
        {
            // Kubernetes creates an EndpointSlice, which may be empty, for each Service with a selector: its controller has not run yet.
            return hasSelector ? null : BackendMessages.NoEndpointSlice(name);
        }

        var port = service.Spec.Ports.First(p => p.Port == number && p.Protocol is null or "TCP");
        var ready = slices.Where(slice => Endpoints(slice).Any(IsReady)).ToList();
        if (ready.Exists(slice => (slice.Ports ?? []).Any(p => (p.Name ?? "") == (port.Name ?? ""))))
        {
            return null;
        }

        if (ready.Count > 0)
        {
            return hasSelector
                ? BackendMessages.NoPodWithPort(name, number, port.TargetPort?.Value ?? "")
                : BackendMessages.NoEndpointSliceWithPort(name, port.Name ?? "");
        }

        return !hasSelector ? BackendMessages.NoReadyEndpoint(name)
            : slices.Exists(slice => Endpoints(slice).Any()) ? BackendMessages.NoReadyPod(name)
            : BackendMessages.NoPod(
                name,
                string.Join(',', service.Spec.Selector.Select(l => $"{l.Key}={l.Value}").Order(StringComparer.Ordinal))
            );
    }

    private static IEnumerable<V1Endpoint> Endpoints(V1EndpointSlice slice) => slice.Endpoints ?? [];

    // kube-proxy ignores EndpointSlices of hostnames.
    private static bool IsUsable(V1EndpointSlice slice) => slice.AddressType is "IPv4" or "IPv6";

    // Unknown readiness counts as ready (API convention).
    private static bool IsReady(V1Endpoint endpoint) => endpoint.Conditions?.Ready is not false;

    private static (string? AddressType, bool HasReady, bool HasUnready, string Ports) Facts(V1EndpointSlice slice) =>
        (
            slice.AddressType,
            Endpoints(slice).Any(IsReady),
            Endpoints(slice).Any(e => !IsReady(e)),
            string.Join(',', (slice.Ports ?? []).Select(p => p.Name).Order(StringComparer.Ordinal))
        );

    private static bool IsSame(this IDictionary<string, string>? left, IDictionary<string, string>? right) =>
        Value(left, MirroredEndpointSlices.ServiceNameLabel) == Value(right, MirroredEndpointSlices.ServiceNameLabel)
        && Value(left, MirroredEndpointSlices.ManagedByLabel) == Value(right, MirroredEndpointSlices.ManagedByLabel);

    private static string? Value(IDictionary<string, string>? labels, string key) =>
        labels?.TryGetValue(key, out var value) == true ? value : null;
}

/// <summary>The readiness of a route's backends, for its status.</summary>
/// <param name="Problem">Why backends are not ready; null if all are.</param>
/// <param name="IsDelayed">Whether the problem is too recent to be reported; the status keeps its condition.</param>
public sealed record ReadinessReport(Rejection? Problem, bool IsDelayed = false);
