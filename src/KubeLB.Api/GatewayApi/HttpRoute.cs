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
    /// <summary>Gateways (and others) that the route wants to attach to.</summary>
    public List<ParentReference>? ParentRefs { get; set; }

    /// <summary>Host names; those of the listeners if absent.</summary>
    public List<string>? Hostnames { get; set; }

    /// <summary>Rules, evaluated by precedence of their matches.</summary>
    public List<HttpRouteRule>? Rules { get; set; }
}
