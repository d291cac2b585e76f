using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Translates the retry annotations of a tenant's HTTPRoute or GRPCRoute to a BackendTrafficPolicy.</summary>
internal static class RetryPolicyGenerator
{
    /// <summary>Generates the policy.</summary>
    /// <returns>The policy, or the problems of the annotations; null if the route has no retry annotations.</returns>
    public static RetryPlan? Generate(
        Route route,
        RouteOrigin origin,
        V1ObjectMeta source,
        IReadOnlyList<ApiObject> generated,
        TenantPolicy policy,
        IManagementView view
    )
    {
        if (Denied(source, policy.Annotations) is { } denied)
        {
            return new RetryPlan(null, denied);
        }

        var (retry, problem) = RetryAnnotationReader.Read(source.Annotations, policy.MaxRetries);
        if (retry is null)
        {
            return problem is null ? null : new RetryPlan(null, problem);
        }

        return new RetryPlan(
            new BackendTrafficPolicy
            {
                Metadata = GeneratedMetadata.Build(
                    route,
                    NameFor(route, generated[0].Name, view),
                    origin,
                    new(generated[0].Metadata.Labels, StringComparer.Ordinal),
                    annotations: null
                ),
                Spec = new BackendTrafficPolicySpec
                {
                    TargetRefs =
                    [
                        .. generated.Select(target => new PolicyTargetReference
                        {
                            Group = ApiGroups.GatewayApi,
                            Kind = target.Kind,
                            Name = target.Name,
                        }),
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
        return keys.Count == 0 ? null : RouteMessages.RetryAnnotationsDenied(keys);
    }

    // The policy has the name of the generated route. If an HTTPRoute and a GRPCRoute have the same name, the second policy has a suffix.
    private static string NameFor(Route route, string generatedName, IManagementView view) =>
        GeneratedNameChoice.Choose(route, BackendTrafficPolicy.KindName, generatedName, SuffixedIfOurs(route, generatedName, view), view);

    private static string? SuffixedIfOurs(Route route, string generatedName, IManagementView view)
    {
        var suffixed = GeneratedNames.WithSuffix(generatedName, route.Name);
        return view.HolderOf(BackendTrafficPolicy.KindName, suffixed).IsTaken ? suffixed : null;
    }
}

/// <summary>The result of the retry annotations of a tenant's route.</summary>
/// <param name="Policy">The policy for the generated route; null if there is a problem.</param>
/// <param name="Problem">The problems of the annotations; null if they are valid.</param>
public sealed record RetryPlan(BackendTrafficPolicy? Policy, string? Problem);
