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
    /// <summary>Gateways (and others) that the route wants to attach to.</summary>
    public List<ParentReference>? ParentRefs { get; set; }

    /// <summary>Host names; those of the listeners if absent.</summary>
    public List<string>? Hostnames { get; set; }

    /// <summary>Rules, evaluated by precedence of their matches.</summary>
    public List<GrpcRouteRule>? Rules { get; set; }
}
