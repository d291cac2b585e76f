using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Rejects objects in namespaces that do not exist or are terminating.</summary>
internal sealed class NamespaceGate(ClusterStore store)
{
    private readonly ResourceTable _namespaces = store.Table("", "namespaces");

    /// <exception cref="ApiException">404 if the namespace does not exist, 403 if it is terminating.</exception>
    public void Check(ResourceDefinition resource, string @namespace, string name)
    {
        if (!resource.Namespaced)
        {
            return;
        }
        var found = _namespaces.Find("", @namespace) ?? throw ApiErrors.NotFound("", "namespaces", @namespace);
        if (found.Identity.IsTerminating)
        {
            throw ApiErrors.Forbidden(
                resource.Group,
                resource.Plural,
                name,
                $"unable to create new content in namespace {@namespace} because it is being terminated",
                [new FieldError("NamespaceTerminating", "metadata.namespace", $"namespace {@namespace} is being terminated")]
            );
        }
    }
}
