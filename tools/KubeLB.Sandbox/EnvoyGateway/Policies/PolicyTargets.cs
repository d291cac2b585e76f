using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Policies;

/// <summary>
/// What BackendTrafficPolicies are for: whole HTTPRoutes and GRPCRoutes of their namespace. Those for Gateways, listeners and single rules
/// are not applied.
/// </summary>
internal static class PolicyTargets
{
    /// <summary>The routes that a policy names, as keys of <see cref="KeyOf(string, string, string)"/>.</summary>
    public static IEnumerable<string> Of(BackendTrafficPolicy policy) =>
        Routes(policy).Select(t => KeyOf(t.Kind, policy.Namespace, t.Name));

    /// <summary>The references to routes.</summary>
    public static IEnumerable<PolicyTargetReference> Routes(BackendTrafficPolicy policy) =>
        (policy.Spec?.TargetRefs ?? []).Where(t =>
            t.Group == ApiGroups.GatewayApi && t.Kind is HttpRoute.KindName or GrpcRoute.KindName && t.SectionName is null
        );

    /// <summary>Key of a route.</summary>
    public static string KeyOf(string kind, string ns, string name) => $"{kind}/{ns}/{name}";

    /// <summary>Key of a route.</summary>
    public static string KeyOf(IGatewayRoute route) =>
        KeyOf(route is GrpcRoute ? GrpcRoute.KindName : HttpRoute.KindName, route.Metadata.NamespaceProperty ?? "", route.Metadata.Name);
}
