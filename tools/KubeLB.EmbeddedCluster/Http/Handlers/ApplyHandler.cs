using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles server-side apply: creates a missing object, or merges into an existing one.</summary>
internal sealed class ApplyHandler(
    ClusterStore store,
    ObjectCreator creator,
    ObjectUpdater updater,
    ServerSideApply applying,
    Authorizer authorizer,
    EscalationCheck escalation,
    TimeProvider time
)
{
    /// <summary>The content type of an applied object.</summary>
    public const string MediaType = "application/apply-patch+yaml";

    private const int MaxAttempts = 8;

    public async Task ApplyAsync(ApiRequest request)
    {
        var options = request.WriteOptions(isApply: true);
        var findings = new JsonFindings();
        var applied = Parse(await BodyReading.ReadAsync(request.Context), findings);
        if (findings.Duplicates.Count > 0 && options.FieldValidation == FieldValidation.Strict)
        {
            throw ApiErrors.BadRequest($"error strict decoding YAML: {string.Join(", ", findings.Duplicates.Select(DuplicateField))}");
        }
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var exists =
                    store.Table(request.Resource.StorageGroup, request.Resource.Plural).Find(request.Namespace, request.Info.Name)
                    is not null;
                var stored =
                    exists || request.Info.Subresource.Length > 0
                        ? Update(request, applied, options, findings)
                        : Create(request, applied, options, findings);
                ResponseWriting.Warnings(request.Context, options.Warnings);
                await ResponseWriting.ObjectAsync(request, exists ? 200 : 201, stored, time.GetUtcNow());
                return;
            }
            catch (ApiException exception)
                when (attempt < MaxAttempts && request.Info.Subresource.Length == 0 && IsConcurrentChange(request, exception.Status))
            {
                // The object was created or deleted concurrently.
            }
        }
    }

    private StoredObject Create(ApiRequest request, JsonObject applied, WriteOptions options, JsonFindings findings)
    {
        authorizer.AuthorizeCreation(request.User, request.Info);
        var tree = Merge(request, null, applied, options, findings);
        if (tree.Object("metadata").Text("uid") is { Length: > 0 } uid)
        {
            throw ApiErrors.Conflict(
                request.Resource.Group,
                request.Resource.Plural,
                request.Info.Name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: "
            );
        }
        var stored = creator.Create(request.Resource, request.Namespace, tree, options);
        return stored;
    }

    private StoredObject Update(ApiRequest request, JsonObject applied, WriteOptions options, JsonFindings findings)
    {
        var view = request.Resource.View;
        return updater.Update(
            request.Resource,
            request.Namespace,
            request.Info.Name,
            request.Info.Subresource,
            current => Merge(request, view is null ? current : view.FromStorage(current), applied, options, findings),
            options
        );
    }

    private JsonObject Merge(ApiRequest request, JsonObject? current, JsonObject applied, WriteOptions options, JsonFindings findings)
    {
        var resource = request.Resource;
        options.Warnings.Clear();
        if (options.FieldValidation == FieldValidation.Warn)
        {
            options.Warnings.AddRange(findings.Duplicates.Select(DuplicateField));
        }
        if (current is not null)
        {
            current["kind"] = resource.Kind;
            current["apiVersion"] = resource.ApiVersion;
        }
        var merged = applying.Apply(resource, current, applied, options, request.Flag("force"));
        ObjectNormalizer.Shape(resource, merged, options);
        var tree = resource.View is { } view ? view.ToStorage(merged) : merged;
        PatchHandler.CheckIdentity(request, tree);
        escalation.Check(request.User, resource, request.Namespace, tree);
        return tree;
    }

    private static JsonObject Parse(ReadOnlyMemory<byte> body, JsonFindings findings)
    {
        try
        {
            var node =
                TryParseJson(body.Span, findings)
                ?? YamlReading.ParseAll(Encoding.UTF8.GetString(body.Span), findings).FirstOrDefault()
                ?? new JsonObject();
            return node as JsonObject
                ?? throw new FormatException(
                    $"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {SchemaNode.TypeName(node)} "
                        + "into Go value of type map[string]interface {}"
                );
        }
        catch (FormatException exception)
        {
            throw ApiErrors.BadRequest($"error decoding YAML: {exception.Message}");
        }
    }

    /// <summary>The body as JSON, which most clients send and which is faster to parse; null for other YAML.</summary>
    private static JsonNode? TryParseJson(ReadOnlySpan<byte> body, JsonFindings findings)
    {
        var text = body.TrimStart(" \t\r\n"u8);
        if (text.Length == 0 || text[0] != (byte)'{')
        {
            return null;
        }
        try
        {
            return JsonReading.Parse(body, findings);
        }
        catch (FormatException)
        {
            findings.Duplicates.Clear();
            return null;
        }
    }

    private static string DuplicateField(string path) => $"duplicate field \"{path}\"";

    /// <summary>Whether the object was created or deleted since it was read.</summary>
    private static bool IsConcurrentChange(ApiRequest request, ApiStatus status) =>
        status.Reason == "AlreadyExists" || (status.Reason == "NotFound" && status.Details?.Kind == request.Resource.Plural);
}
