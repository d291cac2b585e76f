using System.Net;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Filtering;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>A request on its way to a backend.</summary>
/// <param name="EndPoints">Where it may go: each attempt to the next one, as Envoy Gateway's retries avoid hosts that were tried.</param>
/// <param name="PathAndQuery">Path and query, undecoded.</param>
/// <param name="Host">Host header.</param>
/// <param name="Http2">Whether to speak HTTP/2.</param>
/// <param name="Timeout">Time until the response must be complete, all attempts included; null for no limit.</param>
/// <param name="AttemptTimeout">Time for one attempt; null for no limit of its own.</param>
/// <param name="Retry">When it is tried again; null for never.</param>
/// <param name="ResponseFilters">Changes to the response's headers.</param>
/// <param name="Substitutions">For the values of those changes.</param>
internal sealed record OutgoingRequest(
    IReadOnlyList<IPEndPoint> EndPoints,
    string PathAndQuery,
    string Host,
    bool Http2,
    TimeSpan? Timeout,
    TimeSpan? AttemptTimeout,
    RetryRule? Retry,
    IReadOnlyList<HeaderFilter> ResponseFilters,
    SubstitutionContext Substitutions
)
{
    /// <summary>Where an attempt goes.</summary>
    /// <param name="attempt">Which attempt, from 1.</param>
    public IPEndPoint EndPointOf(int attempt) => EndPoints[(attempt - 1) % EndPoints.Count];
}
