using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Attachment;

/// <summary>
/// Decides which parentRefs of a route attach to which listeners. This is decided in the tenant's cluster, because in the management
/// cluster all objects of a tenant share one namespace.
/// </summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#parentreference, #allowedroutes</remarks>
public static class RouteAttachment
{
    /// <summary>Reason of the Event that a parentRef refers to no Gateway.</summary>
    public const string ParentNotFound = "ParentNotFound";

    /// <summary>
    /// One result per distinct parentRef that refers to a Gateway of KubeLB, in the order of the spec; none if the controller of the
    /// route's kind is disabled.
    /// </summary>
    public static IReadOnlyList<ParentAttachment> Evaluate(IGatewayRoute route, ITenantView view, TenantSettings settings)
    {
        var parents = new List<ParentAttachment>();
        if (!settings.IsControllerEnabled(route.Kind))
        {
            return parents;
        }

        foreach (var parentRef in route.ParentRefs)
        {
            if (parents.Exists(p => p.Ref.IsSameAs(parentRef)))
            {
                // CustomResourceDefinitions without CEL rules permit equal parentRefs; one result is reported.
                continue;
            }

            if (FindGateway(route, parentRef, view) is { } gateway && GatewayOwnership.Owns(gateway, view, settings))
            {
                parents.Add(
                    settings.IsGatewayControllerEnabled
                        ? Evaluate(route, parentRef, gateway, view) with
                        {
                            GatewayRejection = GatewayRejection(gateway, view),
                        }
                        : new ParentAttachment(parentRef, gateway, [], GatewayControllerDisabled(gateway))
                );
            }
        }

        return ParentPinning.Apply(parents, route.Hostnames);
    }

    /// <summary><c>namespace/name</c> of the Gateways that the route's parentRefs name, regardless of their class.</summary>
    public static IEnumerable<(string Namespace, string Name)> GatewaysOf(IGatewayRoute route) =>
        route
            .ParentRefs.Where(p => p.RefersToGateway())
            .Select(parentRef => (parentRef.Namespace ?? route.Metadata.NamespaceProperty, parentRef.Name))
            .Distinct();

    /// <summary>
    /// Why a parentRef refers to no Gateway, with the name or namespace that was probably meant; null if all Gateways exist. Gateway API
    /// has no condition for it: a parent that does not exist has no controller.
    /// </summary>
    public static Rejection? MissingParent(IGatewayRoute route, ITenantView view)
    {
        var (@namespace, name) = GatewaysOf(route).FirstOrDefault(g => view.Gateway(g.Namespace, g.Name) is null);
        if (name is null)
        {
            return null;
        }

        var other = view.GatewaysNamed(name).Select(g => g.Namespace).Order(StringComparer.Ordinal).FirstOrDefault();
        var remedy =
            other is not null ? RouteMessages.SetParentNamespace(other)
            : Misspellings.Nearest(name, view.GatewaysIn(@namespace).Select(g => g.Name).Order(StringComparer.Ordinal)) is { } meant
                ? RouteMessages.DidYouMeanGateway(meant)
            : RouteMessages.CreateGateway;
        return new Rejection(ParentNotFound, RouteMessages.ParentNotFound($"{@namespace}/{name}", remedy));
    }

    private static Rejection? GatewayRejection(Gateway gateway, ITenantView view) =>
        view.GatewayRoute(gateway.Namespace, gateway.Name) is null ? GatewayStatusTranslator.RejectionOf(gateway) : null;

    private static Rejection GatewayControllerDisabled(Gateway gateway) =>
        new(GatewayConditions.GatewayControllerDisabled, RouteMessages.GatewayControllerDisabled($"{gateway.Namespace}/{gateway.Name}"));

    private static Gateway? FindGateway(IGatewayRoute route, ParentReference parentRef, ITenantView view) =>
        parentRef.RefersToGateway() ? view.Gateway(parentRef.Namespace ?? route.Metadata.NamespaceProperty, parentRef.Name) : null;

    private static ParentAttachment Evaluate(IGatewayRoute route, ParentReference parentRef, Gateway gateway, ITenantView view)
    {
        ParentAttachment Reject(string reason, string message) => new(parentRef, gateway, [], new Rejection(reason, message));

        var listeners = gateway.Spec?.Listeners ?? [];
        var named = listeners
            .Where(l => string.IsNullOrEmpty(parentRef.SectionName) || l.Name == parentRef.SectionName)
            .Where(l => parentRef.Port is null || l.Port == parentRef.Port)
            .ToList();
        if (named.Count == 0)
        {
            return Reject(
                GatewayConditions.NoMatchingParent,
                RouteMessages.NoMatchingParent(
                    RouteMessages.ListenerOf(parentRef.SectionName, parentRef.Port),
                    listeners.Select(l => RouteMessages.ListenerPort(l.Name, l.Port)),
                    listeners.Count
                )
            );
        }

        var routeNamespace = route.Metadata.NamespaceProperty;
        var labels = view.NamespaceLabels(routeNamespace);
        var allowed = named
            .Where(l => ListenerRules.AllowsKind(l, route.Kind))
            .Where(l => ListenerRules.AllowsNamespace(l, gateway.Namespace, routeNamespace, labels))
            .ToList();
        if (allowed.Count == 0)
        {
            return Reject(
                GatewayConditions.NotAllowedByListeners,
                RouteMessages.NotAllowedByListeners(
                    route.Kind,
                    routeNamespace,
                    named.Select(l => ListenerRules.Describe(l, route.Kind, gateway.Namespace, routeNamespace, labels)),
                    named.Count
                )
            );
        }

        var matching = allowed.Where(l => Hostnames.Intersect(l.Hostname, route.Hostnames)).ToList();
        if (matching.Count == 0)
        {
            return Reject(
                GatewayConditions.NoMatchingListenerHostname,
                RouteMessages.NoHostnameIntersection(
                    route.Kind,
                    route.Hostnames.Select(RouteMessages.Name),
                    route.Hostnames.Count,
                    allowed.Select(l => RouteMessages.ListenerHostname(l.Name, l.Hostname!)),
                    allowed.Count
                )
            );
        }

        // The parentRef stays as written if it attaches to all listeners that it names, as in the reference implementation.
        var attachedRefs = matching.Count == named.Count ? [parentRef] : matching.Select(l => RefTo(parentRef, l)).ToList();
        return new ParentAttachment(parentRef, gateway, attachedRefs, Rejection: null) { Listeners = matching };
    }

    private static ParentReference RefTo(ParentReference parentRef, Listener listener)
    {
        var copy = ApiJson.Copy(parentRef);
        copy.SectionName = listener.Name;
        return copy;
    }
}

/// <summary>How one parentRef of a route attaches to a Gateway of KubeLB.</summary>
/// <param name="Ref">The parentRef as the tenant wrote it.</param>
/// <param name="Gateway">The Gateway that it refers to.</param>
/// <param name="AttachedRefs">
/// The parentRefs of the Route that replace it: the same parentRef if all listeners that it names allow the route; otherwise one parentRef
/// per listener that serves the route (<see cref="ParentPinning"/>). Empty if no listener does.
/// </param>
/// <param name="Rejection">Why the route does not attach; null if it does.</param>
public sealed record ParentAttachment(
    ParentReference Ref,
    Gateway Gateway,
    IReadOnlyList<ParentReference> AttachedRefs,
    Rejection? Rejection
)
{
    /// <summary>Whether the route attaches to at least one listener.</summary>
    public bool IsAttached => Rejection is null;

    /// <summary>The listeners that the route attaches to.</summary>
    internal IReadOnlyList<Listener> Listeners { get; init; } = [];

    /// <summary>
    /// Why the management cluster rejected the Gateway, so that no route attaches to it there; null if it did not.
    /// </summary>
    public Rejection? GatewayRejection { get; init; }
}

/// <summary>Compares and classifies parentRefs; group and kind default to Gateway's.</summary>
internal static class ParentReferences
{
    /// <summary>Whether the parentRef refers to a Gateway.</summary>
    public static bool RefersToGateway(this ParentReference parentRef) =>
        (parentRef.Group ?? ApiGroups.GatewayApi) == ApiGroups.GatewayApi && (parentRef.Kind ?? Gateway.KindName) == Gateway.KindName;

    /// <summary>Whether two parentRefs of one route are equal.</summary>
    public static bool IsSameAs(this ParentReference left, ParentReference right) =>
        left.Name == right.Name
        && left.Namespace == right.Namespace
        && (left.Group ?? ApiGroups.GatewayApi) == (right.Group ?? ApiGroups.GatewayApi)
        && (left.Kind ?? Gateway.KindName) == (right.Kind ?? Gateway.KindName)
        && left.SectionName == right.SectionName
        && left.Port == right.Port;
}
