using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Typing;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles the scale subresource.</summary>
internal sealed class ScaleHandler(ClusterStore store, ObjectUpdater updater)
{
    private static readonly ScalePaths Workload = new(".spec.replicas", ".status.replicas", null);
    private static readonly TypeSchema ScaleType = TypeSchema.Of(typeof(V1Scale));

    public async Task HandleAsync(ApiRequest request)
    {
        var paths = request.Resource.Custom?.Scale ?? Workload;
        var table = store.Table(request.Resource.StorageGroup, request.Resource.Plural);
        switch (request.Info.Verb)
        {
            case "get":
                var found =
                    table.Find(request.Namespace, request.Info.Name)
                    ?? throw ApiErrors.NotFound(request.Resource.Group, request.Resource.Plural, request.Info.Name);
                await ResponseWriting.JsonAsync(request.Context, 200, ScaleOf(found.ToTree(), paths));
                break;
            case "update":
                var options = request.WriteOptions();
                var body = await ReadAsync(request);
                await WriteAsync(request, paths, _ => body, options);
                break;
            case "patch":
                var patchOptions = request.WriteOptions();
                var apply = await PatchHandler.ReadAsync(request.Context.Request, request);
                var resource = request.Resource with { Type = ScaleType };
                await WriteAsync(request, paths, scale => apply(scale, resource), patchOptions);
                break;
            default:
                throw ApiErrors.MethodNotAllowed();
        }
    }

    private async Task WriteAsync(ApiRequest request, ScalePaths paths, Func<JsonObject, JsonObject> change, WriteOptions options)
    {
        var stored = updater.Update(
            request.Resource,
            request.Namespace,
            request.Info.Name,
            "",
            current =>
            {
                var scale = change(ScaleOf(current, paths));
                var replicas = scale.Object("spec").Integer("replicas") ?? 0;
                if (replicas < 0)
                {
                    throw ApiErrors.Invalid(
                        "autoscaling",
                        "Scale",
                        request.Info.Name,
                        [FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]
                    );
                }
                if (scale.Object("metadata").Text("resourceVersion") is { Length: > 0 } revision)
                {
                    current.Ensure("metadata")["resourceVersion"] = revision;
                }
                Set(current, paths.SpecReplicas, replicas);
                return current;
            },
            options
        );
        await ResponseWriting.JsonAsync(request.Context, 200, ScaleOf(stored.ToTree(), paths));
    }

    private static async Task<JsonObject> ReadAsync(ApiRequest request)
    {
        var encoding = BodyReading.EncodingOf(request.Context.Request);
        var body = await BodyReading.ReadAsync(request.Context);
        try
        {
            return BodyReading.Parse(body, encoding, null) as JsonObject ?? throw new FormatException("the document is not an object");
        }
        catch (FormatException exception)
        {
            throw ApiErrors.BadRequest($"error decoding the scale: {exception.Message}");
        }
    }

    private static JsonObject ScaleOf(JsonObject tree, ScalePaths paths)
    {
        var metadata = tree.Object("metadata")!;
        var scale = new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = new JsonObject
            {
                ["name"] = metadata.Text("name"),
                ["namespace"] = metadata.Text("namespace"),
                ["uid"] = metadata.Text("uid"),
                ["resourceVersion"] = metadata.Text("resourceVersion"),
                ["creationTimestamp"] = metadata.Text("creationTimestamp"),
            },
            ["spec"] = new JsonObject { ["replicas"] = Get(tree, paths.SpecReplicas) ?? 0 },
            ["status"] = new JsonObject { ["replicas"] = Get(tree, paths.StatusReplicas) ?? 0 },
        };
        var selector = paths.LabelSelector is { } path
            ? JsonPath.Print(JsonPath.Parse(path).Evaluate(tree).FirstOrDefault())
            : string.Join(
                ",",
                (tree.Object("spec").Object("selector").Object("matchLabels") ?? []).Select(label => $"{label.Key}={label.Value.AsText()}")
            );
        if (selector.Length > 0)
        {
            scale.Object("status")!["selector"] = selector;
        }
        return scale;
    }

    private static long? Get(JsonObject tree, string path) => JsonPath.Parse(path).Evaluate(tree).FirstOrDefault().AsInteger();

    private static void Set(JsonObject tree, string path, long value)
    {
        var names = path.Split('.', StringSplitOptions.RemoveEmptyEntries);
        foreach (var name in names.SkipLast(1))
        {
            tree = tree.Ensure(name);
        }
        tree[names[^1]] = value;
    }
}
