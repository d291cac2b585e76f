using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// The features of Gateway API that are served: those whose conformance tests pass. The test of this class compares them with the results.
/// </summary>
public static class SupportedFeatures
{
    private const string Gateways = "Gateway";
    private const string HttpRoutes = "HTTPRoute";
    private const string GrpcRoutes = "GRPCRoute";
    private const string ReferenceGrants = "ReferenceGrant";

    // The API server does not sort the list; the specification requires ascending order.
    private static readonly string[] All =
    [
        "GRPCRoute",
        "GRPCRouteNamedRouteRule",
        "Gateway",
        "GatewayAddressEmpty",
        "GatewayHTTPListenerIsolation",
        "GatewayPort8080",
        "HTTPRoute",
        "HTTPRoute303RedirectStatusCode",
        "HTTPRoute307RedirectStatusCode",
        "HTTPRoute308RedirectStatusCode",
        "HTTPRouteBackendProtocolH2C",
        "HTTPRouteBackendProtocolWebSocket",
        "HTTPRouteBackendTimeout",
        "HTTPRouteCORS",
        "HTTPRouteHostRewrite",
        "HTTPRouteMethodMatching",
        "HTTPRouteNamedRouteRule",
        "HTTPRouteParentRefPort",
        "HTTPRoutePathRedirect",
        "HTTPRoutePathRewrite",
        "HTTPRoutePortRedirect",
        "HTTPRouteQueryParamMatching",
        "HTTPRouteRequestMirror",
        "HTTPRouteRequestMultipleMirrors",
        "HTTPRouteRequestPercentageMirror",
        "HTTPRouteRequestTimeout",
        "HTTPRouteResponseHeaderModification",
        "HTTPRouteRetry",
        "HTTPRouteSchemeRedirect",
        "ReferenceGrant",
    ];

    /// <summary>The features that a CCM with these settings serves, in ascending order.</summary>
    public static List<SupportedFeature> Of(TenantSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var served = All.Where(name =>
            name.StartsWith(Gateways, StringComparison.Ordinal) ? settings.IsGatewayControllerEnabled
            : name.StartsWith(HttpRoutes, StringComparison.Ordinal) ? settings.IsHttpRouteControllerEnabled
            : name.StartsWith(GrpcRoutes, StringComparison.Ordinal) ? settings.IsGrpcRouteControllerEnabled
            : name != ReferenceGrants || settings.EnforceReferenceGrants
        );
        return [.. served.Select(name => new SupportedFeature { Name = name })];
    }
}
