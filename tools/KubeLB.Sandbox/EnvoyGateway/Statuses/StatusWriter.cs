using System.Globalization;
using System.Net;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Builds statuses from evaluations. Pure.</summary>
internal static class StatusWriter
{
    /// <summary>Status of a Gateway.</summary>
    /// <param name="evaluation">The evaluated Gateway.</param>
    /// <param name="routes">The evaluated routes that reference it.</param>
    /// <param name="address">Its address; null if it is not served.</param>
    /// <param name="now">The time.</param>
    public static GatewayStatus Gateway(
        GatewayEvaluation evaluation,
        IReadOnlyList<RouteEvaluation> routes,
        IPAddress? address,
        DateTimeOffset now
    )
    {
        var gateway = evaluation.Gateway;
        var generation = gateway.Metadata.Generation ?? 0;
        List<Finding> findings = evaluation.Rejection is { } rejection
            ? [rejection, new Finding(GatewayConditions.Programmed, false, GatewayConditions.Invalid, rejection.Message)]
            : [Accepted(evaluation.Listeners), Programmed(evaluation, address)];
        return new GatewayStatus
        {
            Addresses = Addresses(evaluation, address),
            Conditions = Conditions.Of(findings, gateway.Status?.Conditions, generation, now),
            Listeners =
            [
                .. evaluation.Listeners.Select(l => new ListenerStatus
                {
                    Name = l.Listener.Name,
                    SupportedKinds = [.. l.SupportedKinds.Select(kind => new RouteGroupKind { Group = ApiGroups.GatewayApi, Kind = kind })],
                    AttachedRoutes = Attached(evaluation.Key, l.Listener.Name, routes),
                    Conditions = Conditions.Of(
                        l.Findings,
                        gateway.Status?.Listeners?.FirstOrDefault(s => s.Name == l.Listener.Name)?.Conditions,
                        generation,
                        now
                    ),
                }),
            ],
        };
    }

    /// <summary>Status of a route: the entries of other controllers are kept.</summary>
    public static RouteParentsStatus Route(RouteEvaluation evaluation, DateTimeOffset now)
    {
        var route = evaluation.Route;
        var before = route.Status?.Parents ?? [];
        var own = evaluation.Parents.Select(p => new RouteParentStatus
        {
            ParentRef = p.Parent,
            ControllerName = EnvoyGatewayHost.ControllerName,
            Conditions = Conditions.Of(
                p.Findings,
                before
                    .FirstOrDefault(b => b.ControllerName == EnvoyGatewayHost.ControllerName && SameParent(b.ParentRef, p.Parent))
                    ?.Conditions,
                route.Metadata.Generation ?? 0,
                now
            ),
        });
        return new RouteParentsStatus { Parents = [.. before.Where(b => b.ControllerName != EnvoyGatewayHost.ControllerName), .. own] };
    }

    // Envoy Gateway reports the addresses of the spec even if they cannot be used.
    private static List<GatewayAddress>? Addresses(GatewayEvaluation evaluation, IPAddress? address) =>
        evaluation is { Rejection: null, HasUsableAddresses: false } ? [.. evaluation.Gateway.Spec!.Addresses!]
        : address is null ? null
        : evaluation.RequestedAddresses.Count == 0 ? [IpAddress(address.ToString())]
        : [.. evaluation.RequestedAddresses.Select(IpAddress)];

    private static GatewayAddress IpAddress(string value) => new() { Type = "IPAddress", Value = value };

    private static Finding Accepted(IReadOnlyList<ListenerEvaluation> listeners)
    {
        var invalid = listeners.Where(l => !l.IsAccepted).Select(l => l.Listener.Name).Order(StringComparer.Ordinal).ToList();
        return invalid.Count == 0
                ? new Finding(GatewayConditions.Accepted, true, "Accepted", "The Gateway has been scheduled by Envoy Gateway")
            : invalid.Count < listeners.Count
                ? new Finding(
                    GatewayConditions.Accepted,
                    true,
                    GatewayConditions.ListenersNotValid,
                    $"Listeners not valid: {string.Join(", ", invalid)}"
                )
            : new Finding(
                GatewayConditions.Accepted,
                false,
                GatewayConditions.ListenersNotValid,
                $"No listeners are valid: {string.Join(", ", invalid)}"
            );
    }

    private static Finding Programmed(GatewayEvaluation evaluation, IPAddress? address) =>
        !evaluation.HasUsableAddresses
            ? new Finding(GatewayConditions.Programmed, false, "AddressNotUsable", "One or more Gateway addresses cannot be used")
        : address is not null
            ? new Finding(GatewayConditions.Programmed, true, "Programmed", "Address assigned to the Gateway, 1/1 envoy replicas available")
        : new Finding(GatewayConditions.Programmed, false, "AddressNotAssigned", "No addresses have been assigned to the Gateway");

    private static int Attached(ResourceKey gateway, string listener, IReadOnlyList<RouteEvaluation> routes) =>
        routes.Count(r => r.Parents.SelectMany(p => p.Attachments).Any(a => a.Gateway == gateway && a.Listener == listener));

    private static bool SameParent(ParentReference x, ParentReference y) =>
        (x.Group, x.Kind, x.Namespace, x.Name, x.SectionName, x.Port) == (y.Group, y.Kind, y.Namespace, y.Name, y.SectionName, y.Port);
}

/// <summary>Converts findings to conditions.</summary>
internal static class Conditions
{
    /// <summary>Conditions with observedGeneration and lastTransitionTime, which changes only with the status.</summary>
    public static List<Condition> Of(
        IEnumerable<Finding> findings,
        IReadOnlyCollection<Condition>? before,
        long generation,
        DateTimeOffset now
    ) =>
        [
            .. findings.Select(f =>
            {
                var status = ConditionStatus.Of(f.IsTrue);
                var old = before?.FirstOrDefault(c => c.Type == f.Type);
                return new Condition
                {
                    Type = f.Type,
                    Status = status,
                    Reason = f.Reason,
                    Message = f.Message,
                    ObservedGeneration = generation,
                    LastTransitionTime =
                        old?.Status == status && old.LastTransitionTime is not null
                            ? old.LastTransitionTime
                            : now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                };
            }),
        ];
}
