using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>
/// Registers the resources of CustomResourceDefinitions, and deletes the custom resources of a definition that is being deleted.
/// </summary>
internal sealed class DefinitionController(ClusterStore store, ResourceRegistry registry, ObjectUpdater updater, ObjectDeleter deleter)
    : IClusterController
{
    private readonly ResourceTable _definitions = store.Table("apiextensions.k8s.io", "customresourcedefinitions");

    public void Handle(StoreChange change)
    {
        var stored = change.Event.Object;
        if (change.Table == _definitions)
        {
            if (change.Event.Type == ChangeType.Deleted)
            {
                registry.RemoveCustom(stored.Name);
            }
            else if (stored.Identity.IsTerminating)
            {
                DeleteObjects(stored);
            }
        }
        else if (
            change.Event.Type == ChangeType.Deleted
            && _definitions.Find("", $"{change.Table.Resource}.{change.Table.Group}") is { Identity.IsTerminating: true } definition
        )
        {
            Finish(definition, change.Table);
        }
    }

    private void DeleteObjects(StoredObject definition)
    {
        var spec = definition.ToTree().Object("spec");
        var table = store.Table(spec.Text("group")!, spec.Object("names").Text("plural")!);
        if (registry.ForTable(table.Group, table.Resource) is { } resource)
        {
            foreach (var stored in table.Current.Values.SelectMany(objects => objects.Values))
            {
                try
                {
                    deleter.Delete(
                        resource,
                        stored.Namespace,
                        stored.Name,
                        new DeleteOptions { PreconditionUid = stored.Uid, Propagation = Propagation.Background }
                    );
                }
                catch (ApiException exception) when (exception.Status.Code is 404 or 409)
                {
                    // Deleted concurrently.
                }
            }
        }
        Finish(definition, table);
    }

    private void Finish(StoredObject definition, ResourceTable table)
    {
        if (table.Count > 0)
        {
            return;
        }
        var resource = registry.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions")!;
        try
        {
            updater.Update(
                resource,
                "",
                definition.Name,
                "finalize",
                tree =>
                {
                    var finalizers = tree.Object("metadata").Array("finalizers");
                    for (var i = (finalizers?.Count ?? 0) - 1; i >= 0; i--)
                    {
                        if (finalizers![i].AsText() == CustomResourceDefinitionStrategy.CleanupFinalizer)
                        {
                            finalizers.RemoveAt(i);
                        }
                    }
                    return tree;
                },
                new WriteOptions()
            );
        }
        catch (ApiException exception) when (exception.Status.Code == 404)
        {
            // Already deleted.
        }
    }
}
