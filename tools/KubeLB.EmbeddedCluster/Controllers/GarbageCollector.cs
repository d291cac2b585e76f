using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>Deletes objects without existing owners, and completes foreground and orphaning deletes.</summary>
internal sealed class GarbageCollector(ClusterStore store, ResourceRegistry registry, ObjectUpdater updater, ObjectDeleter deleter)
    : IClusterController
{
    public void Handle(StoreChange change)
    {
        var stored = change.Event.Object;
        if (change.Event.Type == ChangeType.Deleted)
        {
            foreach (var (table, dependent) in store.Dependents(stored.Uid))
            {
                Collect(table, dependent);
            }
            foreach (var owner in stored.Identity.Owners)
            {
                if (store.FindByUid(owner.Uid) is { } found && found.Object.Identity.IsTerminating)
                {
                    FinishForeground(found.Table, found.Object);
                }
            }
            return;
        }
        if (stored.Identity.IsTerminating)
        {
            var finalizers = stored.ToTree().Object("metadata").Array("finalizers").Strings().ToList();
            if (finalizers.Contains(ObjectDeleter.OrphanFinalizer))
            {
                Orphan(change.Table, stored);
            }
            else if (finalizers.Contains(ObjectDeleter.ForegroundFinalizer))
            {
                foreach (var (table, dependent) in store.Dependents(stored.Uid))
                {
                    Collect(table, dependent);
                }
                FinishForeground(change.Table, stored);
            }
        }
        else if (stored.Identity.Owners.Count > 0)
        {
            Collect(change.Table, stored);
        }
    }

    private void Collect(ResourceTable table, StoredObject dependent)
    {
        if (
            registry.ForTable(table.Group, table.Resource) is not { } resource
            || table.Find(dependent.Namespace, dependent.Name) is not { } current
            || current.Uid != dependent.Uid
            || current.Identity.IsTerminating
        )
        {
            return;
        }
        var gone = current.Identity.Owners.Where(owner => IsGone(owner, current)).ToList();
        var waiting = current.Identity.Owners.Where(owner => !gone.Contains(owner) && IsWaiting(owner)).ToList();
        if (gone.Count + waiting.Count == 0)
        {
            return;
        }
        if (gone.Count + waiting.Count == current.Identity.Owners.Count)
        {
            var propagation =
                waiting.Count > 0 && store.Dependents(current.Uid).Count > 0 ? Propagation.Foreground : Propagation.Background;
            Ignoring404(() =>
                deleter.Delete(
                    resource,
                    current.Namespace,
                    current.Name,
                    new DeleteOptions { PreconditionUid = current.Uid, Propagation = propagation }
                )
            );
            return;
        }
        RemoveOwners(resource, current, [.. gone.Concat(waiting).Select(owner => owner.Uid)]);
    }

    private bool IsGone(OwnerReference owner, StoredObject dependent)
    {
        if (store.FindByUid(owner.Uid) is not { } found)
        {
            return true;
        }
        return found.Object.Namespace.Length > 0 && found.Object.Namespace != dependent.Namespace;
    }

    private bool IsWaiting(OwnerReference owner) =>
        store.FindByUid(owner.Uid) is { } found
        && found.Object.Identity.IsTerminating
        && found.Object.ToTree().Object("metadata").Array("finalizers").Strings().Contains(ObjectDeleter.ForegroundFinalizer);

    private void Orphan(ResourceTable table, StoredObject owner)
    {
        foreach (var (dependentTable, dependent) in store.Dependents(owner.Uid))
        {
            if (registry.ForTable(dependentTable.Group, dependentTable.Resource) is { } resource)
            {
                RemoveOwners(resource, dependent, [owner.Uid]);
            }
        }
        RemoveFinalizer(table, owner, ObjectDeleter.OrphanFinalizer);
    }

    private void FinishForeground(ResourceTable table, StoredObject owner)
    {
        var blocked = store
            .Dependents(owner.Uid)
            .Any(item => item.Object.Identity.Owners.Any(reference => reference.Uid == owner.Uid && reference.BlocksDeletion));
        if (!blocked)
        {
            RemoveFinalizer(table, owner, ObjectDeleter.ForegroundFinalizer);
        }
    }

    private void RemoveFinalizer(ResourceTable table, StoredObject stored, string finalizer)
    {
        if (registry.ForTable(table.Group, table.Resource) is not { } resource)
        {
            return;
        }
        Ignoring404(() =>
            updater.Update(
                resource,
                stored.Namespace,
                stored.Name,
                "",
                tree =>
                {
                    Remove(tree.Object("metadata").Array("finalizers"), item => item.AsText() == finalizer);
                    return tree;
                },
                new WriteOptions()
            )
        );
    }

    private void RemoveOwners(ResourceDefinition resource, StoredObject stored, HashSet<string> uids) =>
        Ignoring404(() =>
            updater.Update(
                resource,
                stored.Namespace,
                stored.Name,
                "",
                tree =>
                {
                    Remove(tree.Object("metadata").Array("ownerReferences"), item => uids.Contains(item.Text("uid") ?? ""));
                    return tree;
                },
                new WriteOptions()
            )
        );

    private static void Remove(JsonArray? list, Func<JsonNode?, bool> which)
    {
        for (var i = (list?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (which(list![i]))
            {
                list.RemoveAt(i);
            }
        }
    }

    private static void Ignoring404(Action action)
    {
        try
        {
            action();
        }
        catch (ApiException exception) when (exception.Status.Code is 404 or 409)
        {
            // Deleted or replaced concurrently: that change is queued, too.
        }
    }
}
