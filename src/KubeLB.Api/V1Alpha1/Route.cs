using System.Text.Json.Nodes;
using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// A tenant's Gateway, HTTPRoute or GRPCRoute in the management cluster, with the Services behind it. Named after the
/// UID of the tenant's object, in the tenant's namespace. The CCM writes the spec, the manager the status.
/// </summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class Route : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "Route";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "routes";

    /// <summary>An empty Route of the right type.</summary>
    public Route()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>The desired state as JSON, which may not be a valid <see cref="RouteSpec"/>.</summary>
    public RouteSpecJson? Spec { get; set; }

    /// <summary>The generated objects and their conditions.</summary>
    public RouteStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="Route"/>.</summary>
public sealed class RouteSpec : Extensible
{
    /// <summary>
    /// The tenant's node addresses: one entry that refers to the Addresses object <c>default</c>. The manager ignores this field and always
    /// uses that object.
    /// </summary>
    public List<RouteEndpoint>? Endpoints { get; set; }

    /// <summary>The tenant's object and the Services behind it.</summary>
    public RouteSource? Source { get; set; }
}

/// <summary>A set of node addresses, by reference or inline.</summary>
public sealed class RouteEndpoint : Extensible
{
    /// <summary>Name of the set, <c>default</c>.</summary>
    public string? Name { get; set; }

    /// <summary>Inline addresses, an alternative to <see cref="AddressesReference"/>.</summary>
    public List<EndpointAddress>? Addresses { get; set; }

    /// <summary>The Addresses object.</summary>
    public ObjectReference? AddressesReference { get; set; }
}

/// <summary>Reference to an object of the tenant's namespace.</summary>
public sealed class ObjectReference : Extensible
{
    /// <summary>Kind of the object; the referring field's default if absent.</summary>
    public string? Kind { get; set; }

    /// <summary>Name of the object.</summary>
    public string? Name { get; set; }

    /// <summary>Namespace of the object; ignored.</summary>
    public string? Namespace { get; set; }
}

/// <summary>The source of a Route.</summary>
public sealed class RouteSource : Extensible
{
    /// <summary>A Kubernetes cluster; the only kind of source.</summary>
    public KubernetesSource? Kubernetes { get; set; }
}

/// <summary>The tenant's object and the Services behind it.</summary>
public sealed class KubernetesSource : Extensible
{
    /// <summary>
    /// The tenant's object: apiVersion, kind, metadata (name, namespace, uid, labels, annotations) and spec; kept as written, regardless of
    /// its version. Untrusted.
    /// </summary>
    public JsonObject? Resource { get; set; }

    /// <summary>The Services behind the object as they are reachable through node ports.</summary>
    public List<RouteService>? Services { get; set; }
}

/// <summary>A tenant's Service as it is reachable through node ports.</summary>
public sealed class RouteService : ApiObject
{
    /// <summary>A Service of API version <c>v1</c>.</summary>
    public RouteService()
    {
        ApiVersion = V1Service.KubeApiVersion;
        Kind = V1Service.KubeKind;
    }

    /// <summary>Type, ports and selector.</summary>
    public RouteServiceSpec? Spec { get; set; }
}

/// <summary>The part of a Service's spec in a Route.</summary>
public sealed class RouteServiceSpec : Extensible
{
    /// <summary><c>NodePort</c> or <c>LoadBalancer</c>.</summary>
    public string? Type { get; set; }

    /// <summary>Ports with their node ports.</summary>
    public List<RouteServicePort>? Ports { get; set; }

    /// <summary>Pod selector in the tenant's cluster; informational.</summary>
    public Dictionary<string, string>? Selector { get; set; }
}

/// <summary>A port of a <see cref="RouteService"/> or of a generated Service.</summary>
public sealed class RouteServicePort : Extensible
{
    /// <summary>Name, unique within the Service; may be absent if the Service has only one port.</summary>
    public string? Name { get; set; }

    /// <summary>TCP (if absent) or UDP.</summary>
    public string? Protocol { get; set; }

    /// <summary>Application protocol, for example <c>kubernetes.io/h2c</c>.</summary>
    public string? AppProtocol { get; set; }

    /// <summary>Port of the Service, 1-65535.</summary>
    public int Port { get; set; }

    /// <summary>Port of the pods, as number or name; in a status, the port of the tenant's proxy.</summary>
    public IntOrString? TargetPort { get; set; }

    /// <summary>Port on every node of the tenant's cluster.</summary>
    public int? NodePort { get; set; }
}
