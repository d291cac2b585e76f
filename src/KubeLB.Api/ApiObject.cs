using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace KubeLB.Api;

/// <summary>A top-level Kubernetes object: type, metadata and the fields of its subclass.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/</remarks>
public abstract class ApiObject : Extensible, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Group and version, for example <c>gateway.networking.k8s.io/v1</c>.</summary>
    public string ApiVersion { get; set; } = "";

    /// <summary>Kind, for example <c>HTTPRoute</c>.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Name, namespace, labels and the other standard metadata.</summary>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Namespace; empty for a cluster-scoped object.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Namespace => Metadata.NamespaceProperty ?? "";

    /// <summary>Name.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Name => Metadata.Name ?? "";
}

/// <summary>
/// A part of an API object that keeps unknown fields, so that fields of a newer version of the API are not lost.
/// </summary>
public abstract class Extensible
{
    /// <summary>Unknown fields as read; written back unchanged.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>The API groups that KubeLB uses.</summary>
public static class ApiGroups
{
    /// <summary>KubeLB's own group.</summary>
    public const string Kubelb = "kubelb.k8c.io";

    /// <summary>Gateway API.</summary>
    public const string GatewayApi = "gateway.networking.k8s.io";

    /// <summary>Envoy Gateway's extensions.</summary>
    public const string EnvoyGateway = "gateway.envoyproxy.io";

    /// <summary>Prometheus Operator.</summary>
    public const string Monitoring = "monitoring.coreos.com";
}
