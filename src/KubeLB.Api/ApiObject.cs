using k8s;
using k8s.Models;

namespace KubeLB.Api;

/// <summary>A top-level Kubernetes object: type, metadata and whatever its subclass adds.</summary>
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
