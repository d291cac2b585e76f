using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>What a condition should say, without times and generations.</summary>
/// <param name="Type">Type.</param>
/// <param name="Holds">True or False.</param>
/// <param name="Reason">Reason.</param>
/// <param name="Message">Message.</param>
internal sealed record Finding(string Type, bool Holds, string Reason, string Message);

/// <summary>What is said of a listener.</summary>
/// <param name="Listener">The listener.</param>
/// <param name="SupportedKinds">Route kinds that may attach.</param>
/// <param name="Findings">Its conditions.</param>
internal sealed record ListenerVerdict(Listener Listener, IReadOnlyList<string> SupportedKinds, IReadOnlyList<Finding> Findings)
{
    /// <summary>Whether it is served.</summary>
    public bool IsProgrammed => Findings.Any(f => f.Type == GatewayConditions.Programmed && f.Holds);
}

/// <summary>What is said of a Gateway.</summary>
/// <param name="Gateway">The Gateway.</param>
/// <param name="Refusal">Why it is not accepted; null if it is.</param>
/// <param name="Listeners">Its listeners in order; empty if it is not accepted.</param>
internal sealed record GatewayVerdict(Gateway Gateway, Finding? Refusal, IReadOnlyList<ListenerVerdict> Listeners)
{
    /// <summary>Key of the Gateway.</summary>
    public ResourceKey Key => ResourceKey.Of(Gateway);
}

/// <summary>A listener that a route is attached to.</summary>
/// <param name="Gateway">The Gateway.</param>
/// <param name="Listener">Name of the listener.</param>
/// <param name="Hostnames">Host names that both have in common, at least one.</param>
internal sealed record Attachment(ResourceKey Gateway, string Listener, IReadOnlyList<string> Hostnames);

/// <summary>What is said of a route with respect to one parent.</summary>
/// <param name="Parent">The parentRef.</param>
/// <param name="Findings">Conditions.</param>
/// <param name="Attachments">Listeners that count the route as attached.</param>
internal sealed record ParentVerdict(ParentReference Parent, IReadOnlyList<Finding> Findings, IReadOnlyList<Attachment> Attachments)
{
    /// <summary>Whether the route is served through this parent.</summary>
    public bool IsAccepted => Findings.Any(f => f.Type == GatewayConditions.Accepted && f.Holds);
}

/// <summary>What is said of a route.</summary>
/// <param name="Route">The route.</param>
/// <param name="Parents">One entry per parentRef to a Gateway of ours.</param>
/// <param name="Rules">What is served, by rule.</param>
internal sealed record RouteVerdict(IGatewayRoute Route, IReadOnlyList<ParentVerdict> Parents, IReadOnlyList<RuleVerdict> Rules);

/// <summary>A rule, judged and compiled.</summary>
/// <param name="Index">Index in the route.</param>
/// <param name="Error">Why it is not served; null if it is.</param>
/// <param name="Matches">Its matches.</param>
/// <param name="Action">What happens to requests.</param>
/// <param name="RefErrors">References that do not resolve, with reason and message.</param>
/// <param name="EndpointErrors">Backends without endpoints.</param>
internal sealed record RuleVerdict(
    int Index,
    RuleError? Error,
    IReadOnlyList<RouteMatch> Matches,
    RouteAction Action,
    IReadOnlyList<(string Reason, string Message)> RefErrors,
    IReadOnlyList<string> EndpointErrors
);

/// <summary>Why a rule is not served.</summary>
/// <param name="Message">The sentence.</param>
/// <param name="FromMatch">Whether it comes from a match, which is told with the rule's number.</param>
internal sealed record RuleError(string Message, bool FromMatch);
