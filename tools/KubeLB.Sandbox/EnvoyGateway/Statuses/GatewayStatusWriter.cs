using System.Net;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Puts statuses together from verdicts. Pure.</summary>
internal static class GatewayStatusWriter
{
    /// <summary>Status of a Gateway.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="routes">Verdicts on the routes that refer to it.</param>
    /// <param name="address">Its address; null if it is not served.</param>
    /// <param name="now">The time.</param>
    public static GatewayStatus Gateway(GatewayVerdict verdict, IReadOnlyList<RouteVerdict> routes, IPAddress? address, DateTimeOffset now)
    {
        var gateway = verdict.Gateway;
        var generation = gateway.Metadata.Generation ?? 0;
        List<Finding> findings = verdict.Refusal is { } refusal
            ? [refusal, new Finding(GatewayConditions.Programmed, false, GatewayConditions.Invalid, refusal.Message)]
            :
            [
                new Finding(GatewayConditions.Accepted, true, "Accepted", "The Gateway has been scheduled by Envoy Gateway"),
                Programmed(address),
            ];
        return new GatewayStatus
        {
            Addresses = address is null ? null : [new GatewayAddress { Type = "IPAddress", Value = address.ToString() }],
            Conditions = Conditions.Of(findings, gateway.Status?.Conditions, generation, now),
            Listeners =
            [
                .. verdict.Listeners.Select(l => new ListenerStatus
                {
                    Name = l.Listener.Name,
                    SupportedKinds = [.. l.SupportedKinds.Select(kind => new RouteGroupKind { Group = ApiGroups.GatewayApi, Kind = kind })],
                    AttachedRoutes = Attached(verdict.Key, l.Listener.Name, routes),
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

    /// <summary>Status of a route: the entries of other controllers stay.</summary>
    public static RouteParentsStatus Route(RouteVerdict verdict, DateTimeOffset now)
    {
        var route = verdict.Route;
        var before = route.Status?.Parents ?? [];
        var ours = verdict.Parents.Select(p => new RouteParentStatus
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
        return new RouteParentsStatus { Parents = [.. before.Where(b => b.ControllerName != EnvoyGatewayHost.ControllerName), .. ours] };
    }

    private static Finding Programmed(IPAddress? address) =>
        address is not null
            ? new Finding(GatewayConditions.Programmed, true, "Programmed", "Address assigned to the Gateway, 1/1 envoy replicas available")
            : new Finding(GatewayConditions.Programmed, false, "AddressNotAssigned", "No addresses have been assigned to the Gateway");

    private static int Attached(ResourceKey gateway, string listener, IReadOnlyList<RouteVerdict> routes) =>
        routes.Count(r => r.Parents.SelectMany(p => p.Attachments).Any(a => a.Gateway == gateway && a.Listener == listener));

    private static bool SameParent(ParentReference x, ParentReference y) =>
        (x.Group, x.Kind, x.Namespace, x.Name, x.SectionName, x.Port) == (y.Group, y.Kind, y.Namespace, y.Name, y.SectionName, y.Port);
}
