using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Translates a Route to the objects for Envoy Gateway and the Services in front of the tenant's proxy.</summary>
public static class EnvoyGatewayTranslator
{
    /// <summary>Reads the source object, validates it, then generates the Services and, with their names, the object itself.</summary>
    /// <param name="route">The Route; untrusted.</param>
    /// <param name="policy">The administrator's settings for the tenant.</param>
    /// <param name="view">The tenant's namespace.</param>
    /// <param name="proxyPort">Returns the proxy's port for a Service port, always the same one.</param>
    public static EnvoyGatewayTranslation Translate(Route route, TenantPolicy policy, IManagementView view, Func<PortNeed, int> proxyPort)
    {
        var (source, problem) = SourceObject.Read(route);
        if (source is null)
        {
            return EnvoyGatewayTranslation.Rejected(origin: null, problem!);
        }

        if (PolicyRejection.Evaluate(route.Namespace, source, policy, view.IsWithinLimit(route)) is { } rejection)
        {
            return EnvoyGatewayTranslation.Rejected(source.Origin, rejection);
        }

        problem = policy.NodePorts.Problem(source.Services) ?? ForeignReferences.Problem(source.Origin.Kind, source.Spec);
        if (problem is not null)
        {
            return EnvoyGatewayTranslation.Rejected(source.Origin, problem);
        }

        if (source.Value is Gateway gateway)
        {
            return new EnvoyGatewayTranslation(
                source.Origin,
                GatewayGenerator.Generate(route, source.Origin, gateway, policy, view),
                [],
                null
            );
        }

        var tenantRoute = (IGatewayRoute)source.Value;
        problem = RouteGenerator.Problem(tenantRoute);
        if (problem is not null)
        {
            return EnvoyGatewayTranslation.Rejected(source.Origin, problem);
        }

        if (RouteGenerator.UnnamedParent(tenantRoute, source.Origin, view) is { } gatewayKey)
        {
            return new EnvoyGatewayTranslation(source.Origin, null, [], null, WaitingFor: gatewayKey);
        }

        // If a Service has several entries, the first one is used.
        var plans = source
            .Services.DistinctBy(SourceServices.OriginOf)
            .Select(service => ServiceGenerator.Generate(route, source.Origin, service, policy, proxyPort, view))
            .ToList();
        var names = plans.ToDictionary(p => (p.OriginNamespace, p.OriginName), p => p.Service.Metadata.Name);
        var generated = RouteGenerator.Generate(route, source.Origin, tenantRoute, policy, names, view);
        return new EnvoyGatewayTranslation(source.Origin, generated, plans, null)
        {
            Retries = RetryPolicyGenerator.Generate(route, source.Origin, source.Value.Metadata, generated, policy, view),
        };
    }
}

/// <summary>The result of translating a Route.</summary>
/// <param name="Origin">The tenant's object; null if the Route has none that is supported.</param>
/// <param name="Generated">The Gateway, HTTPRoute or GRPCRoute; null if there is a problem or the Route is pending.</param>
/// <param name="Services">The Services, to be written before <paramref name="Generated"/>.</param>
/// <param name="Problem">Why nothing can be generated, and how to correct it; null if it can.</param>
/// <param name="WaitingFor">
/// <c>namespace/name</c> of a parent Gateway whose generated name is not assigned yet: until then nothing is written, so that the route is
/// complete when it is created. Null if there is none.
/// </param>
public sealed record EnvoyGatewayTranslation(
    RouteOrigin? Origin,
    ApiObject? Generated,
    IReadOnlyList<GeneratedServicePlan> Services,
    string? Problem,
    string? WaitingFor = null
)
{
    /// <summary>Whether the Route is rejected: the objects generated from it are deleted.</summary>
    public bool IsRejected { get; private init; }

    /// <summary>
    /// The reason of <see cref="RouteConditions.Permitted"/> if the administrator's settings reject the Route; else null.
    /// </summary>
    public string? PolicyReason { get; private init; }

    /// <summary>The reason of the condition that reports <see cref="Problem"/>.</summary>
    public string Reason { get; private init; } = RouteConditions.InstallationFailed;

    /// <summary>
    /// The result of the retry annotations; null if the route has none. The policy is written after <see cref="Generated"/>.
    /// </summary>
    public RetryPlan? Retries { get; init; }

    /// <summary>The Route is rejected: nothing is generated, and the objects generated before are deleted.</summary>
    public static EnvoyGatewayTranslation Rejected(RouteOrigin? origin, string problem) =>
        new(origin, null, [], problem) { IsRejected = true, Reason = RouteConditions.Rejected };

    /// <summary>The administrator's settings for the tenant reject the Route.</summary>
    public static EnvoyGatewayTranslation Rejected(RouteOrigin? origin, Rejection rejection) =>
        Rejected(origin, rejection.Message) with
        {
            PolicyReason = rejection.Reason,
            Reason = rejection.Reason,
        };

    /// <summary>Nothing can be generated for now, although the Route is valid: the objects generated before are kept.</summary>
    public static EnvoyGatewayTranslation Failed(RouteOrigin? origin, string problem, string reason = RouteConditions.InstallationFailed) =>
        new(origin, null, [], problem) { Reason = reason };
}
