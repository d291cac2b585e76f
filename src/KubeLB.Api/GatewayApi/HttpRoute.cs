using System.Text.Json.Serialization;
using k8s.Models;

namespace KubeLB.Api.GatewayApi;

/// <summary>Routes HTTP requests to backends.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#httproute</remarks>
[KubernetesEntity(Group = ApiGroups.GatewayApi, ApiVersion = GatewayApiVersion.V1, Kind = KindName, PluralName = PluralName)]
public sealed class HttpRoute : ApiObject, IGatewayRoute
{
    /// <summary>The kind.</summary>
    public const string KindName = "HTTPRoute";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "httproutes";

    /// <summary>An empty object of the right type.</summary>
    public HttpRoute()
    {
        ApiVersion = GatewayApiVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Spec.</summary>
    public HttpRouteSpec? Spec { get; set; }

    /// <summary>Status.</summary>
    public RouteParentsStatus? Status { get; set; }

    /// <inheritdoc/>
    [JsonIgnore]
    public List<ParentReference> ParentRefs => Spec?.ParentRefs ?? [];

    /// <inheritdoc/>
    [JsonIgnore]
    public IReadOnlyList<string> Hostnames => Spec?.Hostnames ?? [];

    /// <inheritdoc/>
    [JsonIgnore]
    public IReadOnlyList<RouteRule> Rules => Spec?.Rules ?? [];
}

/// <summary>Spec of a <see cref="HttpRoute"/>.</summary>
public sealed class HttpRouteSpec : Extensible
{
    /// <summary>The parents, usually Gateways, to attach to.</summary>
    public List<ParentReference>? ParentRefs { get; set; }

    /// <summary>Hostnames; those of the listeners if absent.</summary>
    public List<string>? Hostnames { get; set; }

    /// <summary>Rules, evaluated by precedence of their matches.</summary>
    public List<HttpRouteRule>? Rules { get; set; }
}

/// <summary>A rule of an <see cref="HttpRoute"/>.</summary>
public sealed class HttpRouteRule : RouteRule
{
    /// <summary>Alternatives, of which one must match; every request matches if absent.</summary>
    public List<HttpRouteMatch>? Matches { get; set; }

    /// <summary>Timeouts.</summary>
    public HttpRouteTimeouts? Timeouts { get; set; }
}

/// <summary>Conditions on a request, all of which must be met.</summary>
public sealed class HttpRouteMatch : Extensible
{
    /// <summary>Path; prefix <c>/</c> if absent.</summary>
    public HttpPathMatch? Path { get; set; }

    /// <summary>Headers, all of which must match.</summary>
    public List<NamedValueMatch>? Headers { get; set; }

    /// <summary>Query parameters, all of which must match.</summary>
    public List<NamedValueMatch>? QueryParams { get; set; }

    /// <summary>Method; any if absent.</summary>
    public string? Method { get; set; }
}

/// <summary>Condition on the path.</summary>
public sealed class HttpPathMatch : Extensible
{
    /// <summary>PathPrefix (if absent), Exact or RegularExpression.</summary>
    public string? Type { get; set; }

    /// <summary>The path, <c>/</c> if absent.</summary>
    public string? Value { get; set; }
}

/// <summary>Condition on a header or query parameter.</summary>
public sealed class NamedValueMatch : Extensible
{
    /// <summary>Exact (if absent) or RegularExpression.</summary>
    public string? Type { get; set; }

    /// <summary>Name; case-insensitive for headers.</summary>
    public string Name { get; set; } = "";

    /// <summary>Value.</summary>
    public string Value { get; set; } = "";
}

/// <summary>Timeouts of a rule.</summary>
/// <remarks>GEP-1742; durations as in GEP-2257, for example <c>30s</c>.</remarks>
public sealed class HttpRouteTimeouts : Extensible
{
    /// <summary>From the request's arrival to the end of the response.</summary>
    public string? Request { get; set; }

    /// <summary>For one attempt at the backend.</summary>
    public string? BackendRequest { get; set; }
}
