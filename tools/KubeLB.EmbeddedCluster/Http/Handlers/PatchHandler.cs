using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Patching;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles merge, JSON and strategic merge patches. Server-side apply has its own handler.</summary>
internal sealed class PatchHandler(ObjectUpdater updater, ApplyHandler applies, EscalationCheck escalation, TimeProvider time)
{
    private const string Merge = "application/merge-patch+json";
    private const string Json = "application/json-patch+json";
    private const string Strategic = "application/strategic-merge-patch+json";
    private const string Apply = ApplyHandler.MediaType;

    public async Task PatchAsync(ApiRequest request)
    {
        request.Negotiate();
        if (BodyReading.MediaType(request.Context.Request) == Apply)
        {
            await applies.ApplyAsync(request);
            return;
        }
        var options = request.WriteOptions();
        var apply = await ReadAsync(request.Context.Request, request);
        var stored = updater.Update(
            request.Resource,
            request.Namespace,
            request.Info.Name,
            request.Info.Subresource,
            current =>
            {
                var view = request.Resource.View;
                var whole = view is null ? current : view.FromStorage(current);
                whole["kind"] = request.Resource.Kind;
                whole["apiVersion"] = request.Resource.ApiVersion;
                var patched = apply(whole, request.Resource);
                CheckKind(request.Resource, patched);
                options.Warnings.Clear();
                ObjectNormalizer.Shape(request.Resource, patched, options);
                var tree = view is null ? patched : view.ToStorage(patched);
                CheckIdentity(request, tree);
                escalation.Check(request.User, request.Resource, request.Namespace, tree);
                return tree;
            },
            options
        );
        ResponseWriting.Warnings(request.Context, options.Warnings);
        await ResponseWriting.ObjectAsync(request, 200, stored, time.GetUtcNow());
    }

    /// <summary>Reads the patch of a request.</summary>
    /// <exception cref="ApiException">400, 413, 415.</exception>
    public static async Task<Func<JsonObject, ResourceDefinition, JsonObject>> ReadAsync(
        Microsoft.AspNetCore.Http.HttpRequest http,
        ApiRequest request
    )
    {
        var type = BodyReading.MediaType(http);
        switch (type)
        {
            case Merge or Json:
            case Strategic when request.Resource.Custom is null:
                break;
            case Strategic:
                throw ApiErrors.UnsupportedPatch(Json, Merge, Apply);
            case Apply or "application/apply-patch+cbor":
                throw ApiErrors.UnsupportedPatch(Json, Merge, Strategic);
            default:
                throw ApiErrors.UnsupportedMediaType();
        }
        var body = await BodyReading.ReadAsync(request.Context);
        JsonNode? patch;
        try
        {
            patch = JsonReading.Parse(body.Span);
        }
        catch (FormatException exception)
        {
            throw ApiErrors.BadRequest($"error decoding patch: {exception.Message}");
        }
        if (type == Json)
        {
            var operations =
                patch as JsonArray
                ?? throw ApiErrors.BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch");
            return (tree, _) => JsonPatch.Apply(tree, operations);
        }
        var changes =
            patch as JsonObject
            ?? throw ApiErrors.BadRequest("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}");
        return type == Merge
            ? (tree, _) => MergePatch.Apply(tree, changes)
            : (tree, resource) => StrategicMergePatch.Apply(tree, changes, resource.Type);
    }

    private static void CheckKind(ResourceDefinition resource, JsonObject patched)
    {
        var kind = patched.Text("kind");
        var version = patched.Text("apiVersion");
        if ((kind is not null && kind != resource.Kind) || (version is not null && version != resource.ApiVersion))
        {
            throw ApiErrors.BadRequest(
                $"the kind in the patch ({version}, Kind={kind}) does not match the expected kind ({resource.ApiVersion}, "
                    + $"Kind={resource.Kind})"
            );
        }
        patched["kind"] = resource.Kind;
        patched["apiVersion"] = resource.ApiVersion;
    }

    internal static void CheckIdentity(ApiRequest request, JsonObject tree)
    {
        var metadata = tree.Object("metadata");
        if (metadata.Text("name") is { } name && name != request.Info.Name)
        {
            throw ApiErrors.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Info.Name})");
        }
        if (request.Resource.Namespaced && metadata.Text("namespace") is { } @namespace && @namespace != request.Namespace)
        {
            throw ApiErrors.BadRequest(
                $"the namespace of the object ({@namespace}) does not match the namespace on the URL ({request.Namespace})"
            );
        }
    }
}
