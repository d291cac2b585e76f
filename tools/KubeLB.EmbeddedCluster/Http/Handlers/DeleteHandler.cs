using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles delete and deletecollection.</summary>
internal sealed class DeleteHandler(ClusterStore store, ObjectDeleter deleter, ReadHandler reader, TimeProvider time)
{
    private static readonly string[] Protected = ["default", "kube-system", "kube-public"];

    public async Task DeleteAsync(ApiRequest request)
    {
        var options = await OptionsAsync(request);
        var resource = request.Resource;
        if (resource is { Group: "", Plural: "namespaces" } && Protected.Contains(request.Info.Name))
        {
            throw ApiErrors.Forbidden("", "namespaces", request.Info.Name, "this namespace may not be deleted");
        }
        var outcome = deleter.Delete(resource, request.Namespace, request.Info.Name, options);
        if (outcome.Gone && !resource.ReturnsDeleted)
        {
            var group = resource.Group.Length == 0 ? null : resource.Group;
            await ResponseWriting.StatusAsync(
                request.Context,
                ApiStatus.Deleted(resource.Plural, group, outcome.Object.Name, outcome.Object.Uid)
            );
            return;
        }
        await ResponseWriting.ObjectAsync(request, 200, outcome.Object, time.GetUtcNow());
    }

    public async Task DeleteCollectionAsync(ApiRequest request)
    {
        var negotiated = request.Negotiate();
        var options = await OptionsAsync(request);
        var snapshot = store.Snapshot(store.Table(request.Resource.StorageGroup, request.Resource.Plural));
        var deleted = new List<StoredObject>();
        foreach (var stored in request.Filter().Select(snapshot))
        {
            try
            {
                deleted.Add(deleter.Delete(request.Resource, stored.Namespace, stored.Name, options).Object);
            }
            catch (ApiException gone) when (gone.Status.Code == 404)
            {
                // Deleted concurrently.
            }
        }
        await reader.WriteAsync(request, negotiated, deleted, store.Revision, null);
    }

    private static async Task<DeleteOptions> OptionsAsync(ApiRequest request)
    {
        var body = await BodyReading.ReadAsync(request.Context);
        JsonObject? tree = null;
        if (body.Length > 0)
        {
            var encoding = BodyReading.EncodingOf(request.Context.Request);
            try
            {
                tree = BodyReading.Parse(body, encoding, null) as JsonObject;
            }
            catch (FormatException exception)
            {
                throw ApiErrors.BadRequest($"couldn't get version/kind; json parse error: {exception.Message}");
            }
        }
        var policy = tree.Text("propagationPolicy") ?? request.Query("propagationPolicy");
        var orphan = tree.Boolean("orphanDependents") ?? (request.Query("orphanDependents") is { } text ? text == "true" : null);
        if (policy is { Length: > 0 } && orphan is not null)
        {
            throw Invalid(FieldError.Invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"));
        }
        return new DeleteOptions
        {
            DryRun = tree.Array("dryRun") is { Count: > 0 } || request.Context.Request.Query["dryRun"].Count > 0,
            PreconditionUid = tree.Object("preconditions").Text("uid"),
            PreconditionRevision = tree.Object("preconditions").Text("resourceVersion"),
            GracePeriodSeconds =
                tree.Integer("gracePeriodSeconds") ?? (long.TryParse(request.Query("gracePeriodSeconds"), out var grace) ? grace : null),
            Propagation = policy switch
            {
                null or "" => orphan switch
                {
                    true => Propagation.Orphan,
                    false => Propagation.Background,
                    _ => null,
                },
                "Background" => Propagation.Background,
                "Foreground" => Propagation.Foreground,
                "Orphan" => Propagation.Orphan,
                _ => throw Invalid(FieldError.NotSupported("propagationPolicy", policy, "Foreground", "Background", "Orphan", "nil")),
            },
        };
    }

    private static ApiException Invalid(FieldError error) => ApiErrors.Invalid("meta.k8s.io", "DeleteOptions", "", [error]);
}
