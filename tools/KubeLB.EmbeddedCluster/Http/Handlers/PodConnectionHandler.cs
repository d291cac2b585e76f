using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles the subresources exec, attach and portforward of pods: there are no containers to connect to.</summary>
internal sealed class PodConnectionHandler(ClusterStore store, string error)
{
    /// <exception cref="ApiException">Always: 404 for a missing pod, otherwise 400.</exception>
    public Task HandleAsync(ApiRequest request) =>
        store.Table(request.Resource.StorageGroup, request.Resource.Plural).Find(request.Namespace, request.Info.Name) is null
            ? throw ApiErrors.NotFound(request.Resource.Group, request.Resource.Plural, request.Info.Name)
            : throw ApiErrors.BadRequest(error);
}
