using k8s.Models;

namespace KubeLB.Api.GatewayApi;

/// <summary>A class of Gateways and the controller that serves it. Cluster-scoped.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclass</remarks>
[KubernetesEntity(Group = ApiGroups.GatewayApi, ApiVersion = GatewayApiVersion.V1, Kind = KindName, PluralName = PluralName)]
public sealed class GatewayClass : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "GatewayClass";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "gatewayclasses";

    /// <summary>Default name of KubeLB's class.</summary>
    public const string KubelbName = "kubelb";

    /// <summary>KubeLB's controller name; also in the <c>controllerName</c> of the statuses that the CCM writes.</summary>
    public const string KubelbController = "kubelb.k8c.io/gateway-controller";

    /// <summary>An empty object of the right type.</summary>
    public GatewayClass()
    {
        ApiVersion = GatewayApiVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Spec.</summary>
    public GatewayClassSpec? Spec { get; set; }

    /// <summary>Status.</summary>
    public GatewayClassStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="GatewayClass"/>.</summary>
public sealed class GatewayClassSpec : Extensible
{
    /// <summary>Domain-prefixed path of the controller, immutable.</summary>
    public string? ControllerName { get; set; }
}

/// <summary>Status of a <see cref="GatewayClass"/>.</summary>
public sealed class GatewayClassStatus : Extensible
{
    /// <summary>Condition <c>Accepted</c>.</summary>
    public List<Condition>? Conditions { get; set; }

    /// <summary>What the controller serves, in ascending order of the names, at most 64.</summary>
    public List<SupportedFeature>? SupportedFeatures { get; set; }
}

/// <summary>A feature of Gateway API that a controller serves.</summary>
public sealed class SupportedFeature : Extensible
{
    /// <summary>The name, as in the conformance tests of Gateway API.</summary>
    public string? Name { get; set; }
}

/// <summary>Versions of the group <c>gateway.networking.k8s.io</c>.</summary>
public static class GatewayApiVersion
{
    /// <summary>The version in use.</summary>
    public const string V1 = "v1";

    /// <summary>Version of ReferenceGrant. It has the same fields as <c>v1</c>.</summary>
    public const string V1Beta1 = "v1beta1";

    /// <summary>Group and version as in an object's <c>apiVersion</c>.</summary>
    public const string ApiVersion = ApiGroups.GatewayApi + "/" + V1;
}
