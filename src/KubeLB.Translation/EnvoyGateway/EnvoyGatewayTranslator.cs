using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway.Retries;
using KubeLB.Translation.Services;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>A Route → the objects for Envoy Gateway and the Services in front of the tenant's proxy.</summary>
public static class EnvoyGatewayTranslator
{
    /// <summary>Reads the source, checks it, then generates Services and, with their names, the object itself.</summary>
    /// <param name="route">The Route; untrusted.</param>
    /// <param name="policy">The operator's settings for the tenant.</param>
    /// <param name="view">The tenant's namespace.</param>
    /// <param name="proxyPort">The proxy's port for a Service port; the same one whenever it is asked again.</param>
    public static EnvoyGatewayTranslation Translate(Route route, TenantPolicy policy, IManagementView view, Func<PortNeed, int> proxyPort)
    {
        var (source, problem) = SourceObject.Read(route);
        if (source is null)
        {
            return EnvoyGatewayTranslation.Refused(origin: null, problem!);
        }

        if (PolicyRejection.Of(route.Namespace, source, policy, view.IsWithinLimit(route)) is { } refusal)
        {
            return EnvoyGatewayTranslation.Refused(source.Origin, refusal);
        }

        problem = ForeignReferences.Problem(source.Origin.Kind, source.Spec);
        if (problem is not null)
        {
            return EnvoyGatewayTranslation.Refused(source.Origin, problem);
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
            return EnvoyGatewayTranslation.Refused(source.Origin, problem);
        }

        if (RouteGenerator.UnnamedParent(tenantRoute, source.Origin, view) is { } gatewayKey)
        {
            return new EnvoyGatewayTranslation(source.Origin, null, [], null, WaitingFor: gatewayKey);
        }

        // Two entries for one Service have one name; the first is used.
        var plans = source
            .Services.DistinctBy(SourceServices.OriginOf)
            .Select(service => ServiceGenerator.Generate(route, source.Origin, service, policy, proxyPort, view))
            .ToList();
        var names = plans.ToDictionary(p => (p.OriginNamespace, p.OriginName), p => p.Service.Metadata.Name);
        var generated = RouteGenerator.Generate(route, source.Origin, tenantRoute, policy, names, view);
        return new EnvoyGatewayTranslation(source.Origin, generated, plans, null)
        {
            Retries = RetryPolicyGenerator.Generate(route, source.Origin, source.Value.Metadata, generated, policy.Annotations, view),
        };
    }
}
