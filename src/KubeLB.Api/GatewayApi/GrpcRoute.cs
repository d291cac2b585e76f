using System.Text.Json.Serialization;
using k8s.Models;

namespace KubeLB.Api.GatewayApi;

/// <summary>Routes gRPC requests to backends.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute</remarks>
[KubernetesEntity(Group = ApiGroups.GatewayApi, ApiVersion = GatewayApiVersion.V1, Kind = KindName, PluralName = PluralName)]
public sealed class GrpcRoute : ApiObject, IGatewayRoute
{
    /// <summary>The kind.</summary>
    public const string KindName = "GRPCRoute";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "grpcroutes";

    /// <summary>An empty object of the right type.</summary>
    public GrpcRoute()
    {
        ApiVersion = GatewayApiVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Spec.</summary>
    public GrpcRouteSpec? Spec { get; set; }

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

/// <summary>Spec of a <see cref="GrpcRoute"/>.</summary>
public sealed class GrpcRouteSpec : Extensible
{
    /// <summary>The parents, usually Gateways, to attach to.</summary>
    public List<ParentReference>? ParentRefs { get; set; }

    /// <summary>Hostnames; those of the listeners if absent.</summary>
    public List<string>? Hostnames { get; set; }

    /// <summary>Rules, evaluated by precedence of their matches.</summary>
    public List<GrpcRouteRule>? Rules { get; set; }
}

/// <summary>A rule of a <see cref="GrpcRoute"/>.</summary>
public sealed class GrpcRouteRule : RouteRule
{
    /// <summary>Alternatives, of which one must match; every call matches if absent.</summary>
    public List<GrpcRouteMatch>? Matches { get; set; }
}

/// <summary>Conditions on a call, all of which must be met.</summary>
public sealed class GrpcRouteMatch : Extensible
{
    /// <summary>Service and method; any if absent.</summary>
    public GrpcMethodMatch? Method { get; set; }

    /// <summary>Headers, all of which must match.</summary>
    public List<NamedValueMatch>? Headers { get; set; }
}

/// <summary>Condition on service and method.</summary>
public sealed class GrpcMethodMatch : Extensible
{
    /// <summary>Exact (if absent) or RegularExpression.</summary>
    public string? Type { get; set; }

    /// <summary>Full name of the service; any if absent.</summary>
    public string? Service { get; set; }

    /// <summary>Name of the method; any if absent.</summary>
    public string? Method { get; set; }
}
