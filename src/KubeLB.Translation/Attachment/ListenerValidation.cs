using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Attachment;

/// <summary>
/// The CCM's validation of a listener. Only valid listeners are synced to the management cluster, which validates everything else.
/// </summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus, #listenerconditionreason</remarks>
/// <param name="Listener">The listener.</param>
/// <param name="SupportedKinds">The route kinds that may attach to it, in the order of the spec.</param>
/// <param name="Errors">Why it is not synced; empty if it is.</param>
public sealed record ListenerValidation(Listener Listener, IReadOnlyList<string> SupportedKinds, IReadOnlyList<ListenerError> Errors)
{
    private static readonly string[] RouteKinds = [HttpRoute.KindName, GrpcRoute.KindName];

    /// <summary>Whether the listener is valid.</summary>
    public bool IsValid => Errors.Count == 0;

    /// <summary>Validates all listeners, in the order of the spec.</summary>
    public static IReadOnlyList<ListenerValidation> Evaluate(Gateway gateway) => [.. (gateway.Spec?.Listeners ?? []).Select(Evaluate)];

    /// <summary>Validates one listener.</summary>
    public static ListenerValidation Evaluate(Listener listener)
    {
        var errors = new List<ListenerError>();
        if (!ListenerRules.IsSupportedProtocol(listener.Protocol))
        {
            errors.Add(
                new ListenerError(
                    GatewayConditions.Accepted,
                    GatewayConditions.UnsupportedProtocol,
                    GatewayMessages.UnsupportedProtocol(listener.Protocol)
                )
            );
            if (listener.Protocol == "TLS")
            {
                // TLS is a protocol of Gateway API, but its route kinds are not supported.
                errors.Add(
                    new ListenerError(
                        GatewayConditions.ResolvedRefs,
                        GatewayConditions.InvalidRouteKinds,
                        GatewayMessages.TlsRoutesUnsupported
                    )
                );
            }

            return new ListenerValidation(listener, [], errors);
        }

        if (listener.AllowedRoutes?.Namespaces is { From: "Selector", Selector: null })
        {
            errors.Add(
                new ListenerError(GatewayConditions.Programmed, GatewayConditions.Invalid, GatewayMessages.NamespaceSelectorMissing)
            );
        }

        return new ListenerValidation(listener, [.. KindsOf(listener)], errors);
    }

    private static IEnumerable<string> KindsOf(Listener listener) =>
        listener.AllowedRoutes?.Kinds is { Count: > 0 } kinds
            ? kinds.Where(k => (k.Group ?? ApiGroups.GatewayApi) == ApiGroups.GatewayApi && RouteKinds.Contains(k.Kind)).Select(k => k.Kind)
            : RouteKinds;
}

/// <summary>A condition of a listener with status False.</summary>
/// <param name="Condition">Its type.</param>
/// <param name="Reason">Gateway API's reason.</param>
/// <param name="Message">What is wrong and how to correct it.</param>
public sealed record ListenerError(string Condition, string Reason, string Message);

/// <summary>The protocols, route kinds and namespaces that a listener allows.</summary>
public static class ListenerRules
{
    /// <summary>Whether listeners of this protocol are supported.</summary>
    public static bool IsSupportedProtocol(string protocol) => protocol is "HTTP" or "HTTPS";

    /// <summary>Whether routes of this kind may attach: by the listener's protocol and its <c>allowedRoutes.kinds</c>.</summary>
    public static bool AllowsKind(Listener listener, string kind)
    {
        if (!IsSupportedProtocol(listener.Protocol))
        {
            return false;
        }

        var kinds = listener.AllowedRoutes?.Kinds;
        return kinds is not { Count: > 0 } || kinds.Any(k => k.Kind == kind && (k.Group ?? ApiGroups.GatewayApi) == ApiGroups.GatewayApi);
    }

    /// <summary>Whether routes of a namespace may attach.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="gatewayNamespace">Namespace of its Gateway.</param>
    /// <param name="routeNamespace">Namespace of the route.</param>
    /// <param name="routeNamespaceLabels">Labels of that Namespace; null if it does not exist.</param>
    public static bool AllowsNamespace(
        Listener listener,
        string gatewayNamespace,
        string routeNamespace,
        IReadOnlyDictionary<string, string>? routeNamespaceLabels
    )
    {
        var namespaces = listener.AllowedRoutes?.Namespaces;
        return (namespaces?.From ?? "Same") switch
        {
            "All" => true,
            "Same" => gatewayNamespace == routeNamespace,
            "Selector" => routeNamespaceLabels is not null && LabelSelectors.Matches(namespaces!.Selector, routeNamespaceLabels),
            _ => false,
        };
    }

    /// <summary>For a message: what the listener allows instead of the route. The arguments are those of the other methods.</summary>
    internal static string Describe(
        Listener listener,
        string kind,
        string gatewayNamespace,
        string routeNamespace,
        IReadOnlyDictionary<string, string>? routeNamespaceLabels
    )
    {
        var allowed = new List<string>();
        if (!AllowsKind(listener, kind))
        {
            allowed.Add(
                IsSupportedProtocol(listener.Protocol)
                    ? RouteMessages.OnlyKinds([.. (listener.AllowedRoutes?.Kinds ?? []).Select(k => k.Kind)])
                    : RouteMessages.NoRoutes(listener.Protocol)
            );
        }

        if (!AllowsNamespace(listener, gatewayNamespace, routeNamespace, routeNamespaceLabels))
        {
            allowed.Add(
                (listener.AllowedRoutes?.Namespaces?.From ?? "Same") switch
                {
                    "Same" => RouteMessages.OnlyNamespace(gatewayNamespace),
                    "Selector" => RouteMessages.OnlyLabels(LabelSelectors.Format(listener.AllowedRoutes?.Namespaces?.Selector)),
                    _ => RouteMessages.NoNamespace,
                }
            );
        }

        return RouteMessages.ListenerAllows(listener.Name, string.Join(" and ", allowed));
    }
}
