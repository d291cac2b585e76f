using KubeLB.Api;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Services;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>What a Route comes to in the management cluster.</summary>
/// <param name="Origin">The tenant's object; null if the Route does not name one that is supported.</param>
/// <param name="Generated">The Gateway, HTTPRoute or GRPCRoute; null if the Route was refused.</param>
/// <param name="Services">The Services, to be written before <paramref name="Generated"/>.</param>
/// <param name="Problem">Why the Route was refused, and what to change; null if it was not.</param>
/// <param name="WaitingFor">
/// A Gateway that is about to get its name: until then nothing is written, so that the route is complete when it first
/// appears. Null if there is nothing to wait for.
/// </param>
public sealed record EnvoyGatewayTranslation(
    RouteOrigin? Origin,
    ApiObject? Generated,
    IReadOnlyList<GeneratedServicePlan> Services,
    string? Problem,
    string? WaitingFor = null)
{
    /// <summary>A refusal: nothing is generated.</summary>
    public static EnvoyGatewayTranslation Refused(RouteOrigin? origin, string problem) => new(origin, null, [], problem);
}
