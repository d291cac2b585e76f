using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;

namespace KubeLB.Api.Serialization;

/// <summary>Converts API objects to and from JSON, with the serializer of the Kubernetes client.</summary>
public static class ApiJson
{
    /// <summary>The object as a new JSON object.</summary>
    public static JsonObject ToJson(object value) =>
        JsonNode.Parse(KubernetesJson.Serialize(value)) as JsonObject
        ?? throw new ArgumentException($"{value.GetType().Name} does not serialize to a JSON object.", nameof(value));

    /// <summary>Reads an object.</summary>
    /// <exception cref="JsonException">The JSON does not have the object's shape.</exception>
    public static T Read<T>(JsonNode json)
        where T : class =>
        KubernetesJson.Deserialize<T>(json.ToJsonString()) ?? throw new JsonException($"null is not a {typeof(T).Name}.");

    /// <summary>A deep copy, unknown fields included.</summary>
    public static T Copy<T>(T value)
        where T : class => KubernetesJson.Deserialize<T>(KubernetesJson.Serialize(value));
}

/// <summary>Times in statuses.</summary>
public static class StatusTime
{
    /// <summary>RFC 3339 in UTC, whole seconds, like <c>metav1.Time</c>.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
