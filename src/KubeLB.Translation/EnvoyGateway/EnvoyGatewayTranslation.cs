using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.EnvoyGateway.Retries;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Services;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>What a Route comes to in the management cluster.</summary>
/// <param name="Origin">The tenant's object; null if the Route does not name one that is supported.</param>
/// <param name="Generated">The Gateway, HTTPRoute or GRPCRoute; null if there is a problem or something to wait for.</param>
/// <param name="Services">The Services, to be written before <paramref name="Generated"/>.</param>
/// <param name="Problem">Why nothing can be generated, and what to change; null if it can.</param>
/// <param name="WaitingFor">
/// A Gateway that is about to get its name: until then nothing is written, so that the route is complete when it first
/// appears. Null if there is nothing to wait for.
/// </param>
public sealed record EnvoyGatewayTranslation(
    RouteOrigin? Origin,
    ApiObject? Generated,
    IReadOnlyList<GeneratedServicePlan> Services,
    string? Problem,
    string? WaitingFor = null
)
{
    /// <summary>Whether the Route is refused for what it says: what was generated from it before has to go.</summary>
    public bool IsRefused { get; private init; }

    /// <summary>
    /// Whether <see cref="Generated"/> is not written yet, since a proxy of the tenant has rejected the configuration of its new backends:
    /// the object as it was generated before stays, and its status.
    /// </summary>
    public bool IsHeld { get; init; }

    /// <summary>The word of <see cref="RouteConditions"/> for a refusal by the operator's settings; null for others.</summary>
    public string? NotPermitted { get; private init; }

    /// <summary>Why there is a problem, in one word for machines.</summary>
    public string Reason { get; private init; } = RouteConditions.InstallationFailed;

    /// <summary>What the retry annotations come to; null if there are none. Written after <see cref="Generated"/>.</summary>
    public RetryPlan? Retries { get; init; }

    /// <summary>A refusal: nothing is generated, and nothing generated before stays.</summary>
    public static EnvoyGatewayTranslation Refused(RouteOrigin? origin, string problem) =>
        new(origin, null, [], problem) { IsRefused = true, Reason = RouteConditions.Refused };

    /// <summary>A refusal by the operator's settings for the tenant.</summary>
    public static EnvoyGatewayTranslation Refused(RouteOrigin? origin, Refusal refusal) =>
        Refused(origin, refusal.Message) with
        {
            NotPermitted = refusal.Reason,
            Reason = refusal.Reason,
        };

    /// <summary>Nothing can be generated at present through no fault of the Route's: what was generated before stays.</summary>
    public static EnvoyGatewayTranslation Failed(RouteOrigin? origin, string problem, string reason = RouteConditions.InstallationFailed) =>
        new(origin, null, [], problem) { Reason = reason };
}
