using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Routes;

/// <summary>The identity of a Route's source object, read from the Route's spec.</summary>
/// <param name="ApiVersion">Group and version.</param>
/// <param name="Kind">Kind, for example <c>HTTPRoute</c>.</param>
/// <param name="Namespace">Namespace in the tenant's cluster.</param>
/// <param name="Name">Name.</param>
/// <param name="Uid">UID; empty if the Route has none.</param>
public sealed record RouteOrigin(string ApiVersion, string Kind, string Namespace, string Name, string Uid)
{
    /// <summary>Kind, namespace and name as one key, for indexes.</summary>
    public string Key => KeyOf(Kind, Namespace, Name);

    /// <summary>The key of a tenant's object.</summary>
    public static string KeyOf(string kind, string @namespace, string name) => $"{kind}/{@namespace}/{name}";

    /// <summary>Value of <see cref="Labels.OriginResourceKind"/> for a Gateway API kind.</summary>
    public static string ResourceKind(string kind) => $"{kind}.{ApiGroups.GatewayApi}";

    /// <summary>Reads the origin; null if the Route has no source object with apiVersion, kind and name.</summary>
    public static RouteOrigin? Of(Route route) => SourceObject.OriginOf(route);

    internal static RouteOrigin? Of(JsonElement resource)
    {
        if (
            resource.ValueKind != JsonValueKind.Object
            || !resource.TryGetProperty("metadata", out var metadata)
            || metadata.ValueKind != JsonValueKind.Object
        )
        {
            return null;
        }

        return Text(resource, "apiVersion") is { } apiVersion && Text(resource, "kind") is { } kind && Text(metadata, "name") is { } name
            ? new RouteOrigin(apiVersion, kind, Text(metadata, "namespace") ?? "", name, Text(metadata, "uid") ?? "")
            : null;
    }

    private static string? Text(JsonElement json, string field) =>
        json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : null;
}
