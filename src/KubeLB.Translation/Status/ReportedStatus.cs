using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Status;

/// <summary>
/// What the management side reports on a tenant's object, and which generation of the tenant's spec each condition speaks
/// of. A condition that Envoy Gateway computed for an older generated object says nothing of the newer spec.
/// </summary>
public sealed class ReportedStatus
{
    private readonly GeneratedObject? _generated;
    private readonly long? _assumedGeneration;

    private ReportedStatus(GeneratedObject? generated, long? assumedGeneration)
    {
        _generated = generated;
        _assumedGeneration = assumedGeneration;
    }

    /// <summary>Reads the report from a Route; null or one without status reports nothing yet.</summary>
    public static ReportedStatus Of(Route? route)
    {
        // A manager that does not tell generations (the Go one) is taken at its word.
        var assumed =
            route?.Metadata.Annotations?.TryGetValue(Annotations.SourceGeneration, out var text) == true
            && long.TryParse(text, out var generation)
                ? generation
                : (long?)null;
        return new ReportedStatus(route?.Status?.Resources?.Route, assumed);
    }

    /// <summary>The condition that says that the generated object could not be written; null if it could, or is not known.</summary>
    public Condition? Failure =>
        _generated?.Conditions?.FirstOrDefault(c =>
            c.Type == RouteConditions.ResourceAppliedSuccessfully && c.Status == ConditionStatus.False
        );

    /// <summary>
    /// The word for why the operator's settings do not permit the tenant's object; null if that is not what <see cref="Failure"/> is about.
    /// </summary>
    public string? NotPermitted =>
        _generated?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.Permitted && c.Status == ConditionStatus.False)?.Reason
            is { Length: > 0 } reason
            ? reason
            : null;

    /// <summary>The tenant's generation that <see cref="Failure"/> speaks of.</summary>
    public long? FailureGeneration => Failure?.ObservedGeneration ?? _assumedGeneration;

    /// <summary>What became of the retry annotations, with the tenant's generation; null if there are none, or nothing is known.</summary>
    public Condition? RetryPolicy => _generated?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.RetryPolicyApplied);

    /// <summary>That the route is held back because a proxy rejected its new backend; null if it is not, or nothing is known.</summary>
    public Condition? ProxyRejection => _generated?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.ProxyProgrammed);

    /// <summary>That none of the tenant's proxies serves; null if one does, or nothing is known.</summary>
    public Condition? ProxiesUnavailable =>
        _generated?.Conditions?.FirstOrDefault(c => c.Type == TenantProxyConditions.ProxiesAvailable && c.Status == ConditionStatus.False);

    /// <summary>Whether the Route was refused and nothing generated from it stands; after other failures the older object does.</summary>
    public bool IsRefused => Failure is not null && string.IsNullOrEmpty(_generated?.GeneratedName);

    /// <summary>The generated Gateway's status; null if there is none, or none that can be read.</summary>
    public GatewayStatus? Gateway => Read<GatewayStatus>();

    /// <summary>The generated route's status; null if there is none, or none that can be read.</summary>
    public RouteParentsStatus? RouteParents => Read<RouteParentsStatus>();

    /// <summary>
    /// The generation of the tenant's spec that a reported condition was computed for; null if Envoy Gateway has not seen
    /// the generated object of any generation that is known.
    /// </summary>
    public long? SourceGenerationOf(Condition reported)
    {
        if (_generated is not { SourceGeneration: { } source, Generation: { } generated })
        {
            return reported.ObservedGeneration is null ? null : _assumedGeneration;
        }

        return reported.ObservedGeneration >= generated ? source : null;
    }

    private T? Read<T>()
        where T : class
    {
        try
        {
            return _generated?.Status is { } status ? ApiJson.Read<T>(status) : null;
        }
        catch (JsonException)
        {
            // Not the shape of Gateway API: nothing that could be reported on.
            return null;
        }
    }
}
