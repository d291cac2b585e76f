using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Finds references into other namespaces in fields that translation does not know. Such fields are carried over as they
/// are, and there a namespace would be one of the management cluster, not of the tenant's.
/// </summary>
internal static class ForeignReferences
{
    /// <summary>What is replaced as a whole.</summary>
    private static readonly string[] Dropped = ["spec.infrastructure", "spec.listeners.allowedRoutes.namespaces"];

    private static readonly string[] OfGateways = ["spec.listeners.tls.certificateRefs"];

    private static readonly string[] OfRoutes =
    [
        "spec.parentRefs",
        "spec.rules.backendRefs",
        "spec.rules.filters.requestMirror.backendRef",
        "spec.rules.backendRefs.filters.requestMirror.backendRef",
    ];

    /// <summary>What is wrong with the references, and what to change; null if nothing is.</summary>
    /// <param name="kind">The object's kind.</param>
    /// <param name="spec">Its spec as the tenant wrote it.</param>
    public static string? Problem(string kind, JsonNode? spec) =>
        Find(spec, "spec", kind == Gateway.KindName ? OfGateways : OfRoutes, kind == Gateway.KindName ? Dropped : []) is { } path
            ? $"{path}.namespace is not supported: it would refer to a namespace of the management cluster. Remove the field or what "
                + "it is part of."
            : null;

    private static string? Find(JsonNode? node, string path, string[] rewritten, string[] dropped) =>
        node switch
        {
            JsonObject when dropped.Contains(path) => null,
            JsonObject json => json.Select(field =>
                    field switch
                    {
                        { Value: null } => null,
                        { Key: "namespace" } when !rewritten.Contains(path) => path,
                        _ => Find(field.Value, $"{path}.{field.Key}", rewritten, dropped),
                    }
                )
                .FirstOrDefault(found => found is not null),
            JsonArray array => array.Select(item => Find(item, path, rewritten, dropped)).FirstOrDefault(found => found is not null),
            _ => null,
        };
}
