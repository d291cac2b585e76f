using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Tenants;

/// <summary>Whether the operator's settings permit a tenant's object, and if not, why, in words for the tenant.</summary>
internal static class PolicyRejection
{
    private const int LongestQuote = 253;

    /// <summary>
    /// Judges by what costs least to mend last: whether it may be there at all, whether there is a place for it, its hostnames.
    /// </summary>
    /// <param name="tenantNamespace">The tenant's namespace.</param>
    /// <param name="source">The tenant's object.</param>
    /// <param name="policy">The settings in force.</param>
    /// <param name="isWithinLimit">Whether it has one of the places that the limit of its kind leaves.</param>
    /// <returns>A reason of <see cref="RouteConditions"/> and a sentence; null if the object is permitted.</returns>
    public static Refusal? Of(string tenantNamespace, SourceObject source, TenantPolicy policy, bool isWithinLimit)
    {
        var tenant = $"Tenant {TenantNames.TenantOf(tenantNamespace)}";
        var kind = source.Origin.Kind;
        if (policy.IsGatewayApiDisabled)
        {
            return new Refusal(
                RouteConditions.Disabled,
                $"Gateway API is switched off for {tenant} in the management cluster; ask its administrator to switch it on "
                    + "(gatewayAPI.disable)."
            );
        }

        if (policy.IsDisabled(kind))
        {
            return new Refusal(
                RouteConditions.Disabled,
                $"{kind}s are switched off for {tenant} in the management cluster; ask its administrator to switch them on "
                    + $"(gatewayAPI.disable{kind}), or use a route of another kind."
            );
        }

        var (limit, objects, field) =
            kind == Gateway.KindName
                ? (policy.GatewayLimit, "Gateways", "gateway")
                : (policy.RouteLimit, "HTTPRoutes and GRPCRoutes", "route");
        if (limit is not null && !isWithinLimit)
        {
            var full = limit == 0 ? "and so none is served; ask" : "and older ones have all the places; delete one of them, or ask";
            return new Refusal(
                RouteConditions.LimitExceeded,
                $"The limit of {objects} of {tenant} is {limit}, {full} the administrator of the management cluster for a higher "
                    + $"limit (gatewayAPI.{field}.limit)."
            );
        }

        return policy.Domains.IsEvery ? null : OfHostnames(tenant, source.Value, policy.Domains);
    }

    private static Refusal? OfHostnames(string tenant, object value, AllowedDomains domains) =>
        value switch
        {
            Gateway gateway => (gateway.Spec?.Listeners ?? [])
                .Where(l => !domains.Allows(l.Hostname))
                .Select(l =>
                    string.IsNullOrEmpty(l.Hostname)
                        ? NotAllowed(
                            tenant,
                            domains,
                            $"Listener {Short(l.Name)} has no hostname and would take requests for every domain",
                            "Give it"
                        )
                        : NotAllowed(tenant, domains, $"Hostname {Short(l.Hostname)} of listener {Short(l.Name)} is not allowed", "Use")
                )
                .FirstOrDefault(),

            // A route without hostnames has those of its Gateway's listeners, and a Gateway is only there if all of them are allowed.
            IGatewayRoute route => route
                .Hostnames.Where(h => !domains.Allows(h))
                .Select(h => NotAllowed(tenant, domains, $"Hostname {(h.Length == 0 ? "\"\"" : Short(h))} is not allowed", "Use"))
                .FirstOrDefault(),
            _ => null,
        };

    private static string Short(string text) => text.Length <= LongestQuote ? text : text[..LongestQuote] + "…";

    private static Refusal NotAllowed(string tenant, AllowedDomains domains, string what, string doThis) =>
        new(
            RouteConditions.HostnameNotAllowed,
            $"{what}: {tenant} may use {domains}. {doThis} a hostname of these domains, or ask the administrator of the management "
                + "cluster to allow it (allowedDomains)."
        );
}
