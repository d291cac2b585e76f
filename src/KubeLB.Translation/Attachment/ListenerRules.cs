using KubeLB.Api;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Attachment;

/// <summary>What a listener permits.</summary>
public static class ListenerRules
{
    /// <summary>Whether listeners of this protocol are served at all.</summary>
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
    /// <param name="routeNamespaceLabels">Labels of that Namespace; null if it is not known.</param>
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
}
