using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>Creates the default ServiceAccount of namespaces, and deletes the content of terminating ones.</summary>
internal sealed class NamespaceController(
    ClusterStore store,
    ResourceRegistry registry,
    ObjectCreator creator,
    ObjectUpdater updater,
    ObjectDeleter deleter
) : IClusterController
{
    private readonly ResourceTable _namespaces = store.Table("", "namespaces");

    public void Handle(StoreChange change)
    {
        var stored = change.Event.Object;
        if (change.Table == _namespaces)
        {
            if (change.Event.Type == ChangeType.Deleted)
            {
                return;
            }
            if (stored.Identity.IsTerminating)
            {
                Empty(stored.Name);
            }
            else if (change.Event.Type == ChangeType.Added)
            {
                EnsureAccount(stored.Name);
            }
        }
        else if (
            change.Event.Type == ChangeType.Deleted
            && stored.Namespace.Length > 0
            && _namespaces.Find("", stored.Namespace) is { } parent
        )
        {
            if (parent.Identity.IsTerminating)
            {
                Finish(stored.Namespace);
            }
            else if (change.Table is { Group: "", Resource: "serviceaccounts" } && stored.Name == "default")
            {
                EnsureAccount(stored.Namespace);
            }
        }
    }

    /// <summary>Creates the <c>default</c> ServiceAccount if it is missing.</summary>
    public void EnsureAccount(string @namespace)
    {
        try
        {
            creator.Create(
                registry.Find("", "v1", "serviceaccounts")!,
                @namespace,
                new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } },
                new WriteOptions()
            );
        }
        catch (ApiException exception) when (exception.Status.Code is 403 or 404 or 409)
        {
            // It exists, or the namespace is terminating.
        }
    }

    private IEnumerable<(ResourceDefinition Resource, StoredObject Object)> Content(string @namespace)
    {
        foreach (var table in store.Tables)
        {
            if (
                table.Current.TryGetValue(@namespace, out var objects)
                && @namespace.Length > 0
                && registry.ForTable(table.Group, table.Resource) is { } resource
            )
            {
                foreach (var stored in objects.Values)
                {
                    yield return (resource, stored);
                }
            }
        }
    }

    private void Empty(string @namespace)
    {
        foreach (var (resource, stored) in Content(@namespace).ToList())
        {
            try
            {
                deleter.Delete(
                    resource,
                    @namespace,
                    stored.Name,
                    new DeleteOptions { PreconditionUid = stored.Uid, Propagation = Propagation.Background }
                );
            }
            catch (ApiException exception) when (exception.Status.Code is 404 or 409)
            {
                // Deleted concurrently.
            }
        }
        Finish(@namespace);
    }

    private void Finish(string @namespace)
    {
        var remaining = Content(@namespace).ToList();
        var resource = registry.Find("", "v1", "namespaces")!;
        try
        {
            if (remaining.Count == 0)
            {
                updater.Update(
                    resource,
                    "",
                    @namespace,
                    "finalize",
                    tree =>
                    {
                        var finalizers = tree.Ensure("spec").Array("finalizers").Strings().Where(finalizer => finalizer != "kubernetes");
                        tree.Object("spec")!["finalizers"] = new JsonArray([
                            .. finalizers.Select(finalizer => JsonValue.Create(finalizer)),
                        ]);
                        return tree;
                    },
                    new WriteOptions()
                );
                return;
            }
            var finalizers = remaining
                .SelectMany(item => item.Object.ToTree().Object("metadata").Array("finalizers").Strings())
                .GroupBy(finalizer => finalizer)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => $"{group.Key} in {group.Count()} resource instances");
            var kinds = remaining
                .GroupBy(item => item.Resource.QualifiedResource)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => $"{group.Key} has {group.Count()} resource instances");
            updater.Update(
                resource,
                "",
                @namespace,
                "status",
                tree =>
                {
                    tree.Ensure("status")["conditions"] = new JsonArray(
                        Condition(
                            "NamespaceContentRemaining",
                            "SomeResourcesRemain",
                            $"Some resources are remaining: {string.Join(", ", kinds)}",
                            tree
                        ),
                        Condition(
                            "NamespaceFinalizersRemaining",
                            "SomeFinalizersRemain",
                            $"Some content in the namespace has finalizers remaining: {string.Join(", ", finalizers)}",
                            tree
                        )
                    );
                    return tree;
                },
                new WriteOptions()
            );
        }
        catch (ApiException exception) when (exception.Status.Code == 404)
        {
            // Already finalized.
        }
    }

    private static JsonObject Condition(string type, string reason, string message, JsonObject tree) =>
        new()
        {
            ["type"] = type,
            ["status"] = "True",
            ["lastTransitionTime"] = tree.Object("metadata").Text("deletionTimestamp"),
            ["reason"] = reason,
            ["message"] = message,
        };
}
