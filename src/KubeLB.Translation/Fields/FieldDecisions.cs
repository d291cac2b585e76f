using KubeLB.Api.GatewayApi;
using static KubeLB.Translation.Fields.FieldDecision;

namespace KubeLB.Translation.Fields;

/// <summary>
/// The decisions about the fields of Gateway, HTTPRoute and GRPCRoute, of the standard and the experimental channel of Gateway API 1.6 and
/// of earlier releases. docs/reference/fields.md is generated from them.
/// </summary>
internal static class FieldDecisions
{
    private const string Route = "spec.";
    private const string Rule = Route + "rules.";
    private const string Tls = "spec.tls.";

    /// <summary>The tables of all kinds.</summary>
    public static IReadOnlyList<FieldTable> Tables { get; } =
    [
        new(Gateway.KindName, GatewayRules()),
        new(HttpRoute.KindName, [.. RouteRules(), .. HttpRules()]),
        new(GrpcRoute.KindName, [.. RouteRules(), .. GrpcRules()]),
    ];

    /// <summary>The table of a kind.</summary>
    /// <exception cref="ArgumentException">The kind is not supported.</exception>
    public static FieldTable Of(string kind) =>
        Tables.FirstOrDefault(table => table.Kind == kind) ?? throw new ArgumentException($"{kind} has no table.", nameof(kind));

    private static IEnumerable<FieldRule> GatewayRules() =>
        [
            new("spec.gatewayClassName", Rewritten, "The class that the administrator configured."),
            new("spec.listeners.name", Passed),
            new("spec.listeners.hostname", Checked, "Must be in the allowed domains."),
            new("spec.listeners.port", Passed),
            new("spec.listeners.protocol", Passed),
            new("spec.listeners.allowedRoutes.kinds.group", Passed),
            new("spec.listeners.allowedRoutes.kinds.kind", Passed),
            new(
                "spec.listeners.allowedRoutes.namespaces",
                Rewritten,
                "Same, because all objects of a tenant are in one namespace of the management cluster. "
                    + "The CCM evaluates the tenant's value."
            )
            {
                IsReplacedObject = true,
            },
            new("spec.listeners.tls.mode", Passed),
            .. Reference("spec.listeners.tls.certificateRefs", "The Secret with a copy of the tenant's certificate."),
            new("spec.listeners.tls.options", Ignored, "Options depend on the implementation."),
            Frontend("spec.listeners.tls.frontendValidation"),
            Frontend(Tls + "frontend"),
            Rejection(Tls + "backend", "client certificates for backends are not supported"),
            Rejection("spec.backendTLS", "client certificates for backends are not supported"),
            new("spec.addresses.type", Checked, "Must be IPAddress."),
            new(
                "spec.addresses.value",
                Checked,
                "Must be an IP address in gatewayAPI.gatewayAddresses; the Gateway is rejected otherwise."
            ),
            Rejection(
                "spec.infrastructure.parametersRef",
                "the administrator of the management cluster configures the proxies",
                GatewayConditions.InvalidParameters
            ),
            new("spec.infrastructure.labels", Ignored, "They would be labels of objects in the management cluster."),
            new("spec.infrastructure.annotations", Ignored, "They would be annotations of objects in the management cluster."),
            new("spec.allowedListeners", Ignored, "ListenerSet is not supported."),
            new("spec.defaultScope", Ignored, "Default Gateways are not supported."),
        ];

    private static IEnumerable<FieldRule> RouteRules() =>
        [
            new(Route + "hostnames", Checked, "Must be in the allowed domains."),
            .. Reference(Route + "parentRefs", "The generated Gateway."),
            new(Route + "parentRefs.sectionName", Rewritten, "The listeners that serve the route, if several parentRefs are needed."),
            new(Route + "parentRefs.port", Rewritten, "Removed, if several parentRefs are needed."),
            new(Route + "useDefaultGateways", Ignored, "Default Gateways are not supported."),
            new(Rule + "name", Passed),
            Rejection(Rule + "matches." + FieldTable.AnyOther, "without it, the rule would match other requests"),
            new(Rule + "matches.headers.type", Passed),
            new(Rule + "matches.headers.name", Passed),
            new(Rule + "matches.headers.value", Passed),
            .. Reference(Rule + "backendRefs", "The generated Service."),
            new(Rule + "backendRefs.port", Passed),
            new(Rule + "backendRefs.weight", Passed),
            .. SessionPersistence(Rule + "sessionPersistence."),
        ];

    private static IEnumerable<FieldRule> HttpRules() =>
        [
            new(Rule + "matches.path.type", Passed),
            new(Rule + "matches.path.value", Passed),
            new(Rule + "matches.queryParams.type", Passed),
            new(Rule + "matches.queryParams.name", Passed),
            new(Rule + "matches.queryParams.value", Passed),
            new(Rule + "matches.method", Passed),
            new(Rule + "timeouts.request", Passed),
            new(Rule + "timeouts.backendRequest", Passed),
            new(Rule + "retry.codes", Passed),
            new(Rule + "retry.attempts", Checked, "At most the administrator's maximum, 10 by default."),
            new(Rule + "retry.backoff", Passed),
            .. Filters(Rule + "filters."),
            .. HttpFilters(Rule + "filters."),
            .. Filters(Rule + "backendRefs.filters."),
            .. HttpFilters(Rule + "backendRefs.filters."),
        ];

    private static IEnumerable<FieldRule> GrpcRules() =>
        [
            new(Rule + "matches.method.type", Passed),
            new(Rule + "matches.method.service", Passed),
            new(Rule + "matches.method.method", Passed),
            .. Filters(Rule + "filters."),
            .. Filters(Rule + "backendRefs.filters."),
        ];

    private static IEnumerable<FieldRule> SessionPersistence(string prefix) =>
        [
            new(prefix + "type", Passed),
            new(prefix + "absoluteTimeout", Passed),
            new(prefix + "cookie.name", Passed),
            new(prefix + "cookie.path", Passed),
            new(prefix + "cookie.lifetimeType", Passed),
            new(prefix + "header.name", Passed),
            // Until Gateway API 1.5.
            new(prefix + "sessionName", Passed),
            new(prefix + "idleTimeout", Passed),
            new(prefix + "cookieConfig.lifetimeType", Passed),
        ];

    private static IEnumerable<FieldRule> Filters(string prefix) =>
        [
            new(prefix + "type", Checked, "Must be a supported type."),
            .. Headers(prefix + "requestHeaderModifier."),
            .. Headers(prefix + "responseHeaderModifier."),
            .. Reference(prefix + "requestMirror.backendRef", "The generated Service."),
            new(prefix + "requestMirror.backendRef.port", Passed),
            new(prefix + "requestMirror.percent", Passed),
            new(prefix + "requestMirror.fraction.numerator", Passed),
            new(prefix + "requestMirror.fraction.denominator", Passed),
            Rejection(prefix + "extensionRef", "it would refer to an object of the management cluster"),
        ];

    private static IEnumerable<FieldRule> HttpFilters(string prefix) =>
        [
            new(prefix + "requestRedirect.scheme", Passed),
            new(prefix + "requestRedirect.hostname", Passed),
            new(prefix + "requestRedirect.port", Passed),
            new(prefix + "requestRedirect.statusCode", Passed),
            .. Path(prefix + "requestRedirect.path."),
            new(prefix + "urlRewrite.hostname", Passed),
            .. Path(prefix + "urlRewrite.path."),
            new(prefix + "cors.allowOrigins", Passed),
            new(prefix + "cors.allowMethods", Passed),
            new(prefix + "cors.allowHeaders", Passed),
            new(prefix + "cors.exposeHeaders", Passed),
            new(prefix + "cors.allowCredentials", Passed),
            new(prefix + "cors.maxAge", Passed),
            Rejection(prefix + "externalAuth", "without it, requests would be served that it should deny"),
        ];

    private static IEnumerable<FieldRule> Headers(string prefix) =>
        [
            new(prefix + "set.name", Passed),
            new(prefix + "set.value", Checked, HeaderNote),
            new(prefix + "add.name", Passed),
            new(prefix + "add.value", Checked, HeaderNote),
            new(prefix + "remove", Passed),
        ];

    private const string HeaderNote = "Only permitted command operators of Envoy, no control characters.";

    private static IEnumerable<FieldRule> Path(string prefix) =>
        [new(prefix + "type", Passed), new(prefix + "replaceFullPath", Passed), new(prefix + "replacePrefixMatch", Passed)];

    private static IEnumerable<FieldRule> Reference(string path, string target) =>
        [
            new(path + ".group", Passed),
            new(path + ".kind", Passed),
            new(path + ".name", Rewritten, target),
            new(path + ".namespace", Rewritten, "Removed, because all objects of a tenant are in one namespace of the management cluster."),
        ];

    private static FieldRule Frontend(string path) =>
        new(path, Rewritten, "Removed with the listeners that it applies to, because validation of client certificates is not supported.")
        {
            IsReplacedObject = true,
        };

    private static FieldRule Rejection(string path, string note, string reason = GatewayConditions.UnsupportedValue) =>
        new(path, Rejected, note) { Reason = reason };
}
