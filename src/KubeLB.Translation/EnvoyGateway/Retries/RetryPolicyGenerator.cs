using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway.Retries;

/// <summary>The retry annotations of a tenant's HTTPRoute or GRPCRoute → a BackendTrafficPolicy for the generated route.</summary>
internal static class RetryPolicyGenerator
{
    /// <summary>Generates it.</summary>
    /// <returns>The policy, or what is wrong with the annotations; null if they ask for nothing.</returns>
    public static RetryPlan? Generate(
        Route route,
        RouteOrigin origin,
        V1ObjectMeta source,
        ApiObject generated,
        AnnotationRules rules,
        IManagementView view
    )
    {
        if (Denied(source, rules) is { } denied)
        {
            return new RetryPlan(null, denied);
        }

        var (retry, problem) = RetryAnnotationReader.Read(source.Annotations);
        if (retry is null)
        {
            return problem is null ? null : new RetryPlan(null, problem);
        }

        return new RetryPlan(
            new BackendTrafficPolicy
            {
                Metadata = GeneratedMetadata.For(route, NameFor(route, generated.Name, view), origin, source.Labels, annotations: null),
                Spec = new BackendTrafficPolicySpec
                {
                    TargetRefs =
                    [
                        new PolicyTargetReference
                        {
                            Group = ApiGroups.GatewayApi,
                            Kind = generated.Kind,
                            Name = generated.Name,
                        },
                    ],
                    Retry = retry,
                },
            },
            Problem: null
        );
    }

    private static string? Denied(V1ObjectMeta source, AnnotationRules rules)
    {
        var keys = RetryAnnotations.All.Where(key => source.Annotations?.ContainsKey(key) == true && rules.Denies(key)).ToList();
        return keys.Count == 0
            ? null
            : $"The administrator of the management cluster does not allow {string.Join(", ", keys)} (deniedAnnotations): remove what is not allowed, or ask for it.";
    }

    // The name of the generated route; an HTTPRoute and a GRPCRoute may share one, and then the second has a suffix and keeps it.
    private static string NameFor(Route route, string generatedName, IManagementView view) =>
        GeneratedNameChoice.For(route, BackendTrafficPolicy.KindName, generatedName, SuffixedIfOurs(route, generatedName, view), view);

    private static string? SuffixedIfOurs(Route route, string generatedName, IManagementView view)
    {
        var suffixed = GeneratedNames.WithSuffix(generatedName, route.Name);
        return view.HolderOf(BackendTrafficPolicy.KindName, suffixed).IsTaken ? suffixed : null;
    }
}
