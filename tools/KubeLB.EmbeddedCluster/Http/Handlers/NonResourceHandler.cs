using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Discovery;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles non-resource paths: health, version, discovery, OpenAPI.</summary>
internal sealed class NonResourceHandler(DiscoveryDocuments discovery, OpenApiDocuments openApi)
{
    public const string NotFound = "404 page not found\n";

    private static readonly string[] RootPaths =
    [
        "/api",
        "/api/v1",
        "/apis",
        "/healthz",
        "/livez",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ];

    public Task HandleAsync(HttpContext context)
    {
        var path = (context.Request.Path.Value ?? "/").TrimEnd('/');
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["healthz" or "livez" or "readyz", ..] => HealthAsync(context, parts),
            ["version"] => ResponseWriting.JsonAsync(context, 200, Version()),
            [] => ResponseWriting.JsonAsync(
                context,
                200,
                new JsonObject { ["paths"] = new JsonArray([.. RootPaths.Select(item => JsonValue.Create(item))]) }
            ),
            ["api" or "apis"] => DiscoverAsync(context, core: parts[0] == "api"),
            ["api", var version] => JsonOrNotFound(context, discovery.Resources("", version)),
            ["apis", var group] => JsonOrNotFound(context, discovery.Group(group)),
            ["apis", var group, var version] => JsonOrNotFound(context, discovery.Resources(group, version)),
            ["openapi", "v2"] => V2Async(context),
            ["openapi", "v3"] => ResponseWriting.JsonAsync(context, 200, openApi.Index()),
            ["openapi", "v3", "api", var version] => DocumentAsync(context, "", version),
            ["openapi", "v3", "apis", var group, var version] => DocumentAsync(context, group, version),
            _ => ResponseWriting.TextAsync(context, 404, NotFound),
        };
    }

    private static Task HealthAsync(HttpContext context, string[] parts)
    {
        if (parts.Length > 1)
        {
            return ResponseWriting.TextAsync(
                context,
                parts[1] is "ping" or "etcd" or "log" ? 200 : 404,
                parts[1] is "ping" or "etcd" or "log" ? "ok" : NotFound
            );
        }
        return ResponseWriting.TextAsync(
            context,
            200,
            context.Request.Query.ContainsKey("verbose") ? $"[+]ping ok\n[+]log ok\n[+]etcd ok\n{parts[0]} check passed\n" : "ok"
        );
    }

    private Task DiscoverAsync(HttpContext context, bool core)
    {
        foreach (var type in Negotiation.Parse(context.Request))
        {
            if (type.Parameter("as") == "APIGroupDiscoveryList" && type.Parameter("v") == "v2" && type.MediaType is "application/json")
            {
                context.Response.Headers.Vary = "Accept";
                return ResponseWriting.JsonAsync(context, 200, discovery.Aggregated(core), DiscoveryDocuments.AggregatedType);
            }
        }
        return ResponseWriting.JsonAsync(
            context,
            200,
            core ? DiscoveryDocuments.CoreVersions(context.Request.Host.Value ?? "") : discovery.GroupList()
        );
    }

    private static Task V2Async(HttpContext context)
    {
        var protobuf = Negotiation
            .Parse(context.Request)
            .Any(type => type.MediaType is OpenApiDocuments.V2ProtobufAccepted or OpenApiDocuments.V2ProtobufType);
        return protobuf
            ? ResponseWriting.BytesAsync(context, 200, OpenApiDocuments.V2ProtobufType, OpenApiDocuments.V2Protobuf())
            : ResponseWriting.JsonAsync(context, 200, OpenApiDocuments.V2());
    }

    private Task DocumentAsync(HttpContext context, string group, string version) =>
        openApi.Document(group, version) is { } document
            ? ResponseWriting.BytesAsync(context, 200, "application/json", document)
            : ResponseWriting.TextAsync(context, 404, NotFound);

    private static Task JsonOrNotFound(HttpContext context, JsonObject? document) =>
        document is null ? ResponseWriting.TextAsync(context, 404, NotFound) : ResponseWriting.JsonAsync(context, 200, document);

    /// <summary>The version of the recorded contract.</summary>
    private static JsonObject Version() =>
        new()
        {
            ["major"] = "1",
            ["minor"] = "35",
            ["emulationMajor"] = "1",
            ["emulationMinor"] = "35",
            ["minCompatibilityMajor"] = "1",
            ["minCompatibilityMinor"] = "34",
            ["gitVersion"] = "v1.35.0",
            ["gitCommit"] = "embedded",
            ["gitTreeState"] = "clean",
            ["buildDate"] = "1970-01-01T00:00:00Z",
            ["goVersion"] = "none",
            ["compiler"] = "dotnet",
            ["platform"] = "linux/amd64",
        };
}
