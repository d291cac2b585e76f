using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles create and update.</summary>
internal sealed class WriteHandler(
    ResourceRegistry registry,
    ObjectCreator creator,
    ObjectUpdater updater,
    EscalationCheck escalation,
    TimeProvider time
)
{
    public async Task CreateAsync(ApiRequest request)
    {
        request.Negotiate();
        var options = request.WriteOptions();
        var tree = await BodyObject.ReadAsync(request, registry, options);
        if (request.Info.Name.Length > 0)
        {
            throw ApiErrors.MethodNotAllowed();
        }
        if (request.Resource.Namespaced && request.Namespace.Length == 0)
        {
            throw ApiErrors.BadRequest("an empty namespace may not be set during creation");
        }
        escalation.Check(request.User, request.Resource, request.Namespace, tree);
        var stored = creator.Create(request.Resource, request.Namespace, tree, options);
        ResponseWriting.Warnings(request.Context, options.Warnings);
        await ResponseWriting.ObjectAsync(request, 201, stored, time.GetUtcNow());
    }

    public async Task UpdateAsync(ApiRequest request)
    {
        request.Negotiate();
        var options = request.WriteOptions();
        var body = await BodyObject.ReadAsync(request, registry, options);
        CheckIdentity(request, body);
        var stored = updater.Update(
            request.Resource,
            request.Namespace,
            request.Info.Name,
            request.Info.Subresource,
            _ =>
            {
                var tree = body.Copy();
                escalation.Check(request.User, request.Resource, request.Namespace, tree);
                return tree;
            },
            options
        );
        ResponseWriting.Warnings(request.Context, options.Warnings);
        await ResponseWriting.ObjectAsync(request, 200, stored, time.GetUtcNow());
    }

    private static void CheckIdentity(ApiRequest request, JsonObject body)
    {
        var metadata = body.Ensure("metadata");
        var name = metadata.Text("name") ?? "";
        if (name.Length == 0)
        {
            throw ApiErrors.BadRequest("name must be provided");
        }
        if (name != request.Info.Name)
        {
            throw ApiErrors.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Info.Name})");
        }
        var @namespace = metadata.Text("namespace") ?? "";
        if (request.Resource.Namespaced && @namespace.Length > 0 && @namespace != request.Namespace)
        {
            throw ApiErrors.BadRequest(
                $"the namespace of the object ({@namespace}) does not match the namespace on the URL ({request.Namespace})"
            );
        }
    }
}
