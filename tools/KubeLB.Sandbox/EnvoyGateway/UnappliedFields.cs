using System.Text.Json.Nodes;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>
/// Fields that a management cluster stores and the stand-in does not apply, for warnings of its API server. In a tenant's cluster, KubeLB
/// reports the fields that it ignores. Pure.
/// </summary>
internal static class UnappliedFields
{
    private static readonly string[] OfGateways =
    [
        "tls.backend",
        "tls.frontend",
        "infrastructure",
        "allowedListeners",
        "listeners[].tls.options",
    ];

    private static readonly string[] OfRoutes = ["rules[].sessionPersistence.idleTimeout"];

    private static readonly HashSet<string> AppliedOfPolicies = new(StringComparer.Ordinal) { "targetRefs", "retry" };

    /// <summary>The warnings for an object.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="content">Its content.</param>
    public static IEnumerable<string> Warnings(string kind, JsonObject content) =>
        content["spec"] is not JsonObject spec
            ? []
            : (
                kind switch
                {
                    Gateway.KindName => OfGateways.SelectMany(path => Find(spec, path)).Concat(Listeners(spec)),
                    HttpRoute.KindName or GrpcRoute.KindName => OfRoutes.SelectMany(path => Find(spec, path)),
                    BackendTrafficPolicy.KindName => Policy(spec),
                    _ => [],
                }
            ).Select(field => $"The sandbox stores {kind} spec.{field} but does not apply it; see docs/reference/sandbox.md.");

    private static IEnumerable<string> Listeners(JsonObject spec) =>
        Items(spec["listeners"])
            .Where(l => l.Item["protocol"]?.ToString() is "TLS" or "TCP" or "UDP")
            .Select(l => $"listeners[{l.Index}] of protocol {l.Item["protocol"]}");

    private static IEnumerable<string> Policy(JsonObject spec) =>
        spec.Where(f => f.Value is not null && !AppliedOfPolicies.Contains(f.Key))
            .Select(f => f.Key)
            .Concat(Find(spec, "retry.numAttemptsPerPriority"))
            .Concat(
                Items(spec["targetRefs"])
                    .Where(t =>
                        t.Item["kind"]?.ToString() is not (HttpRoute.KindName or GrpcRoute.KindName) || t.Item["sectionName"] is not null
                    )
                    .Select(t => $"targetRefs[{t.Index}]")
            );

    private static IEnumerable<string> Find(JsonObject at, string path)
    {
        var dot = path.IndexOf('.', StringComparison.Ordinal);
        var (step, rest) = dot < 0 ? (path, "") : (path[..dot], path[(dot + 1)..]);
        if (step.EndsWith("[]", StringComparison.Ordinal))
        {
            var list = step[..^2];
            return Items(at[list]).SelectMany(i => Find(i.Item, rest).Select(found => $"{list}[{i.Index}].{found}"));
        }

        return at[step] is not { } value ? []
            : rest.Length == 0 ? [step]
            : value is JsonObject next ? Find(next, rest).Select(found => $"{step}.{found}")
            : [];
    }

    private static IEnumerable<(int Index, JsonObject Item)> Items(JsonNode? list) =>
        (list as JsonArray ?? []).Index().Where(i => i.Item is JsonObject).Select(i => (i.Index, (JsonObject)i.Item!));
}
