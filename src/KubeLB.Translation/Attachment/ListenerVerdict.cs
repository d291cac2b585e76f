using KubeLB.Api;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Attachment;

/// <summary>
/// What the CCM itself says of a listener: whether it is carried to the management cluster, where everything else about it is judged.
/// </summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus, #listenerconditionreason</remarks>
/// <param name="Listener">The listener.</param>
/// <param name="SupportedKinds">The route kinds that may attach to it, in the order of the spec.</param>
/// <param name="Refusals">Why it is not carried; empty if it is.</param>
public sealed record ListenerVerdict(Listener Listener, IReadOnlyList<string> SupportedKinds, IReadOnlyList<ListenerError> Refusals)
{
    private static readonly string[] CarriedKinds = [HttpRoute.KindName, GrpcRoute.KindName];

    /// <summary>Whether the listener is carried.</summary>
    public bool IsCarried => Refusals.Count == 0;

    /// <summary>The verdicts on all listeners, in the order of the spec.</summary>
    public static IReadOnlyList<ListenerVerdict> Of(Gateway gateway) => [.. (gateway.Spec?.Listeners ?? []).Select(Of)];

    /// <summary>The verdict on one listener.</summary>
    public static ListenerVerdict Of(Listener listener)
    {
        var refusals = new List<ListenerError>();
        if (!ListenerRules.IsSupportedProtocol(listener.Protocol))
        {
            refusals.Add(
                new ListenerError(
                    GatewayConditions.Accepted,
                    GatewayConditions.UnsupportedProtocol,
                    $"Protocol {listener.Protocol} is unsupported, must be HTTP or HTTPS."
                )
            );
            if (listener.Protocol == "TLS")
            {
                // The protocol is Gateway API's own; what is missing are the routes that go with it.
                refusals.Add(
                    new ListenerError(
                        GatewayConditions.ResolvedRefs,
                        GatewayConditions.InvalidRouteKinds,
                        "TLSRoute and TCPRoute are not supported; use a listener of protocol HTTPS, which terminates TLS, with "
                            + "HTTPRoute or GRPCRoute."
                    )
                );
            }

            return new ListenerVerdict(listener, [], refusals);
        }

        if (listener.AllowedRoutes?.Namespaces is { From: "Selector", Selector: null })
        {
            refusals.Add(
                new ListenerError(
                    GatewayConditions.Programmed,
                    GatewayConditions.Invalid,
                    "The allowedRoutes.namespaces.selector field must be specified when allowedRoutes.namespaces.from is set to "
                        + "\"Selector\"."
                )
            );
        }

        return new ListenerVerdict(listener, [.. KindsOf(listener)], refusals);
    }

    private static IEnumerable<string> KindsOf(Listener listener) =>
        listener.AllowedRoutes?.Kinds is { Count: > 0 } kinds
            ? kinds
                .Where(k => (k.Group ?? ApiGroups.GatewayApi) == ApiGroups.GatewayApi && CarriedKinds.Contains(k.Kind))
                .Select(k => k.Kind)
            : CarriedKinds;
}

/// <summary>A condition of a listener that says no.</summary>
/// <param name="Condition">Its type.</param>
/// <param name="Reason">Gateway API's reason.</param>
/// <param name="Message">What is wrong and what to change.</param>
public sealed record ListenerError(string Condition, string Reason, string Message);
