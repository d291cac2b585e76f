using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Objects as JSON, in the form in which KubernetesClient sends them (nulls left out, quantities as strings, times as RFC 3339).
/// </summary>
public static class ResourceJson
{
    /// <summary>The JSON of an object.</summary>
    public static JsonObject ToNode<T>(T obj)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(obj);
        return (JsonObject)JsonNode.Parse(KubernetesJson.Serialize(obj))!;
    }

    /// <summary>The object that JSON describes.</summary>
    /// <exception cref="JsonException">The JSON does not fit the type.</exception>
    public static T FromNode<T>(JsonNode node)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(node);
        return KubernetesJson.Deserialize<T>(node) ?? throw new JsonException($"null is not a {typeof(T).Name}.");
    }

    /// <summary>Whether two objects have the same content; the order of fields that no type knows counts.</summary>
    internal static bool AreSame<T>(T one, T other)
        where T : class, IKubernetesObject<V1ObjectMeta> => KubernetesJson.Serialize(one) == KubernetesJson.Serialize(other);

    /// <summary>The JSON of any part of an object, for example a status: what <see cref="Applier.ApplyStatusAsync{T}"/> takes.</summary>
    public static JsonNode? ToNodeOfPart(object? part) =>
        part switch
        {
            null => null,
            JsonNode node => node.DeepClone(),
            _ => JsonNode.Parse(KubernetesJson.Serialize(part)),
        };

    /// <summary>A deep copy of an object: informers' objects must not be changed.</summary>
    public static T Copy<T>(T obj)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(obj);
        return KubernetesJson.Deserialize<T>(KubernetesJson.Serialize(obj));
    }
}
