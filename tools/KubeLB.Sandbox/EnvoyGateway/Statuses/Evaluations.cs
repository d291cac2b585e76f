using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>A condition without time and generation.</summary>
/// <param name="Type">Type.</param>
/// <param name="IsTrue">Whether the status is True.</param>
/// <param name="Reason">Reason.</param>
/// <param name="Message">Message.</param>
internal sealed record Finding(string Type, bool IsTrue, string Reason, string Message);

/// <summary>An evaluated listener.</summary>
/// <param name="Listener">The listener.</param>
/// <param name="SupportedKinds">Route kinds that may attach.</param>
/// <param name="Findings">Its findings.</param>
internal sealed record ListenerEvaluation(Listener Listener, IReadOnlyList<string> SupportedKinds, IReadOnlyList<Finding> Findings)
{
    /// <summary>Whether it is accepted.</summary>
    public bool IsAccepted => Findings.Any(f => f.Type == GatewayConditions.Accepted && f.IsTrue);

    /// <summary>Whether it is served.</summary>
    public bool IsProgrammed => Findings.Any(f => f.Type == GatewayConditions.Programmed && f.IsTrue);
}

/// <summary>An evaluated Gateway.</summary>
/// <param name="Gateway">The Gateway.</param>
/// <param name="Rejection">Why it is not accepted; null if it is.</param>
/// <param name="Listeners">Its listeners in order; empty if it is not accepted.</param>
internal sealed record GatewayEvaluation(Gateway Gateway, Finding? Rejection, IReadOnlyList<ListenerEvaluation> Listeners)
{
    /// <summary>The IP addresses of its spec.</summary>
    public IReadOnlyList<string> RequestedAddresses { get; init; } = [];

    /// <summary>Whether the addresses of its spec can be used; a Gateway without them gets one.</summary>
    public bool HasUsableAddresses { get; init; } = true;

    /// <summary>Whether it has an address and at least one listener that is served.</summary>
    public bool IsServed => Rejection is null && HasUsableAddresses && Listeners.Any(l => l.IsProgrammed);

    /// <summary>Key of the Gateway.</summary>
    public ResourceKey Key => ResourceKey.Of(Gateway);
}

/// <summary>A listener that a route is attached to.</summary>
/// <param name="Gateway">The Gateway.</param>
/// <param name="Listener">Name of the listener.</param>
/// <param name="Hostnames">The intersecting hostnames, at least one.</param>
internal sealed record Attachment(ResourceKey Gateway, string Listener, IReadOnlyList<string> Hostnames);

/// <summary>An evaluated parent of a route.</summary>
/// <param name="Parent">The parentRef.</param>
/// <param name="Findings">Its findings.</param>
/// <param name="Attachments">Listeners that the route is attached to.</param>
internal sealed record ParentEvaluation(ParentReference Parent, IReadOnlyList<Finding> Findings, IReadOnlyList<Attachment> Attachments)
{
    /// <summary>Whether the parent accepts the route.</summary>
    public bool IsAccepted => Findings.Any(f => f.Type == GatewayConditions.Accepted && f.IsTrue);
}

/// <summary>An evaluated route.</summary>
/// <param name="Route">The route.</param>
/// <param name="Parents">One entry per parentRef to a Gateway of the managed class.</param>
/// <param name="Rules">The evaluated rules.</param>
internal sealed record RouteEvaluation(IGatewayRoute Route, IReadOnlyList<ParentEvaluation> Parents, IReadOnlyList<RuleEvaluation> Rules);

/// <summary>An evaluated rule.</summary>
/// <param name="Index">Index in the route.</param>
/// <param name="Error">The error; null if it is served.</param>
/// <param name="Matches">Its matches.</param>
/// <param name="Action">The action.</param>
/// <param name="RefErrors">Unresolved references, with reason and message.</param>
/// <param name="EndpointErrors">Backends without endpoints.</param>
internal sealed record RuleEvaluation(
    int Index,
    RuleError? Error,
    IReadOnlyList<RouteMatch> Matches,
    RouteAction Action,
    IReadOnlyList<(string Reason, string Message)> RefErrors,
    IReadOnlyList<string> EndpointErrors
);

/// <summary>The error of a rule.</summary>
/// <param name="Message">The message.</param>
/// <param name="FromMatch">Whether a match is invalid: the condition message then has the index of the rule.</param>
internal sealed record RuleError(string Message, bool FromMatch);
