using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Attachment;

/// <summary>
/// Decides which parentRefs of a route attach to which listeners. It is decided here, in the tenant's cluster, where the
/// namespaces are; in the management cluster all objects of a tenant share one.
/// </summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#parentreference, #allowedroutes</remarks>
public static class RouteAttachment
{
    /// <summary>
    /// A verdict per parentRef that refers to a Gateway of ours, in the order of the spec; none if the route's kind is switched off.
    /// </summary>
    public static IReadOnlyList<ParentVerdict> Evaluate(IGatewayRoute route, ITenantView view, TenantSettings settings)
    {
        var verdicts = new List<ParentVerdict>();
        if (!settings.Carries(route.Kind))
        {
            return verdicts;
        }

        foreach (var parentRef in route.ParentRefs)
        {
            if (FindGateway(route, parentRef, view) is { } gateway && GatewayOwnership.IsOf(gateway, view, settings))
            {
                verdicts.Add(
                    settings.CarriesGateways
                        ? Evaluate(route, parentRef, gateway, view) with
                        {
                            NotCarried = NotCarried(gateway, view),
                        }
                        : new ParentVerdict(parentRef, gateway, [], SwitchedOff(gateway))
                );
            }
        }

        return verdicts;
    }

    /// <summary><c>namespace/name</c> of the Gateways that the route's parentRefs name, ours or not.</summary>
    public static IEnumerable<(string Namespace, string Name)> GatewaysOf(IGatewayRoute route) =>
        route
            .ParentRefs.Where(RefersToGateway)
            .Select(parentRef => (parentRef.Namespace ?? route.Metadata.NamespaceProperty, parentRef.Name))
            .Distinct();

    private static string? NotCarried(Gateway gateway, ITenantView view) =>
        view.GatewayRoute(gateway.Namespace, gateway.Name) is null ? GatewayStatusTranslator.RefusalOf(gateway) : null;

    private static Refusal SwitchedOff(Gateway gateway) =>
        new(
            GatewayConditions.Pending,
            $"Gateway {gateway.Namespace}/{gateway.Name} is not carried to the management cluster, because Gateways are switched off "
                + "here (--disable-gateway-controller): switch them on, or use a Gateway of another controller."
        );

    private static Gateway? FindGateway(IGatewayRoute route, ParentReference parentRef, ITenantView view) =>
        RefersToGateway(parentRef) ? view.Gateway(parentRef.Namespace ?? route.Metadata.NamespaceProperty, parentRef.Name) : null;

    private static bool RefersToGateway(ParentReference parentRef) =>
        (parentRef.Group ?? ApiGroups.GatewayApi) == ApiGroups.GatewayApi && (parentRef.Kind ?? Gateway.KindName) == Gateway.KindName;

    private static ParentVerdict Evaluate(IGatewayRoute route, ParentReference parentRef, Gateway gateway, ITenantView view)
    {
        ParentVerdict Refuse(string reason, string message) => new(parentRef, gateway, [], new Refusal(reason, message));

        var listeners = gateway.Spec?.Listeners ?? [];
        var named = listeners
            .Where(l => string.IsNullOrEmpty(parentRef.SectionName) || l.Name == parentRef.SectionName)
            .Where(l => parentRef.Port is null || l.Port == parentRef.Port)
            .ToList();
        if (named.Count == 0)
        {
            return Refuse(GatewayConditions.NoMatchingParent, "No listeners match this parent ref");
        }

        var routeNamespace = route.Metadata.NamespaceProperty;
        var labels = view.NamespaceLabels(routeNamespace);
        var allowed = named
            .Where(l => ListenerRules.AllowsKind(l, route.Kind))
            .Where(l => ListenerRules.AllowsNamespace(l, gateway.Namespace, routeNamespace, labels))
            .ToList();
        if (allowed.Count == 0)
        {
            return Refuse(GatewayConditions.NotAllowedByListeners, "No listeners included by this parent ref allowed this attachment.");
        }

        var matching = allowed.Where(l => Hostnames.Intersect(l.Hostname, route.Hostnames)).ToList();
        if (matching.Count == 0)
        {
            return Refuse(
                GatewayConditions.NoMatchingListenerHostname,
                $"There were no hostname intersections between the {route.Kind} and this parent ref's Listener(s)."
            );
        }

        // As written where nothing has to be left out: that is how the reference implementation writes it, too.
        var pinned = matching.Count == named.Count ? [parentRef] : matching.Select(l => Pin(parentRef, l)).ToList();
        return new ParentVerdict(parentRef, gateway, pinned, Refusal: null);
    }

    private static ParentReference Pin(ParentReference parentRef, Listener listener)
    {
        var pinned = ApiJson.Copy(parentRef);
        pinned.SectionName = listener.Name;
        return pinned;
    }
}
