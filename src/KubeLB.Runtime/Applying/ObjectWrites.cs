using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// The requests of the applier, each with the cache kept up to date and with "the cache was behind" told from other failures.
/// </summary>
internal static class ObjectWrites
{
    public static JsonObject StatusOf<T>(T current)
        where T : class, IKubernetesObject<V1ObjectMeta> => ResourceJson.ToNode(current)["status"]?.DeepClone() as JsonObject ?? [];

    /// <summary>Creates an object that the cache does not show.</summary>
    public static async Task<T> CreateAsync<T>(Cluster cluster, ResourceKey key, JsonObject create, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            var created = await cluster.ClientOf<T>().CreateAsync(create, key.Namespace, cancellationToken).ConfigureAwait(false);
            cluster.FindInformer<T>()?.Answered(key, null, created);
            return created;
        }
        catch (HttpOperationException e)
            when (e.Response.StatusCode == HttpStatusCode.Conflict && StatusMessage.ReasonOf(e) is null or "AlreadyExists")
        {
            if (cluster.FindInformer<T>() is { } informer)
            {
                informer.Contradicted(key, null);
                if (await cluster.ClientOf<T>().GetAsync(key, cancellationToken).ConfigureAwait(false) is { } live)
                {
                    var isWatched = await informer.IsInScopeAsync(key, cancellationToken).ConfigureAwait(false);
                    informer.Answered(key, null, live);
                    if (!isWatched)
                    {
                        informer.Explained(key);
                    }
                }
            }

            throw new StaleCacheException(
                $"{ResourceKind.Of<T>()} {key} exists in cluster \"{cluster.Name}\" although the cache did not show it.",
                e
            );
        }
    }

    /// <summary>Patches an object that the cache shows.</summary>
    public static async Task<T> PatchAsync<T>(Cluster cluster, T current, JsonObject patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ResourceKey.Of(current);
        try
        {
            var patched = await cluster.ClientOf<T>().MergePatchAsync(key, patch, cancellationToken).ConfigureAwait(false);
            cluster.FindInformer<T>()?.Answered(key, current, patched);
            return patched;
        }
        catch (HttpOperationException e) when (StatusMessage.SaysObjectIsMissing(e))
        {
            cluster.FindInformer<T>()?.Answered(key, current, null);
            throw new StaleCacheException(
                $"{ResourceKind.Of<T>()} {key} is gone from cluster \"{cluster.Name}\" although the cache still showed it.",
                e
            );
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
        {
            cluster.FindInformer<T>()?.Contradicted(key, current);
            throw;
        }
    }

    /// <summary>Patches the status of an object that the cache shows.</summary>
    public static async Task<Applied<T>> WriteStatusAsync<T>(
        Cluster cluster,
        T current,
        JsonObject status,
        bool guarded,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var patch = new JsonObject { ["status"] = status };
        if (guarded)
        {
            patch["metadata"] = new JsonObject { ["resourceVersion"] = current.Metadata.ResourceVersion };
        }

        var key = ResourceKey.Of(current);
        try
        {
            var patched = await cluster.ClientOf<T>().MergePatchStatusAsync(key, patch, cancellationToken).ConfigureAwait(false);
            cluster.FindInformer<T>()?.Answered(key, current, patched);
            return new(patched, ApplyOutcome.Patched);
        }
        catch (HttpOperationException e) when (StatusMessage.SaysObjectIsMissing(e))
        {
            // A kind without a status subresource is answered in the same words.
            if (await cluster.ClientOf<T>().GetAsync(key, cancellationToken).ConfigureAwait(false) is not null)
            {
                throw new StaleCacheException(
                    $"The status of {ResourceKind.Of<T>()} {key} in cluster \"{cluster.Name}\" cannot be written: there is no such "
                        + "subresource.",
                    e
                );
            }

            cluster.FindInformer<T>()?.Answered(key, current, null);
            throw new StaleCacheException(
                $"{ResourceKind.Of<T>()} {key} is gone from cluster \"{cluster.Name}\" although the cache still showed it.",
                e
            );
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
        {
            cluster.FindInformer<T>()?.Contradicted(key, current);
            throw;
        }
    }

    /// <summary>Sets annotations of the version of an object that the cache shows; null removes one.</summary>
    public static Task<T> WriteAnnotationsAsync<T>(
        Cluster cluster,
        T current,
        IReadOnlyDictionary<string, string?> annotations,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["annotations"] = new JsonObject(annotations.Select(a => KeyValuePair.Create(a.Key, (JsonNode?)a.Value))),
                ["resourceVersion"] = current.Metadata.ResourceVersion,
            },
        };
        return PatchAsync(cluster, current, patch, cancellationToken);
    }

    /// <summary>Replaces the finalizers of the version of an object that the cache shows.</summary>
    public static async Task<T> WriteFinalizersAsync<T>(
        Cluster cluster,
        T current,
        IEnumerable<string> finalizers,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["finalizers"] = new JsonArray([.. finalizers.Select(f => JsonValue.Create(f))]),
                ["resourceVersion"] = current.Metadata.ResourceVersion,
            },
        };
        var patched = await PatchAsync(cluster, current, patch, cancellationToken).ConfigureAwait(false);
        if (patched.Metadata.DeletionTimestamp is not null && patched.Metadata.Finalizers is not { Count: > 0 })
        {
            // The last finalizer held it: with this write the object is gone.
            cluster.FindInformer<T>()?.ObserveDeleted(patched);
        }

        return patched;
    }

    /// <summary>Deletes the incarnation of an object that the cache shows.</summary>
    /// <returns>False if it was gone already.</returns>
    public static async Task<bool> DeleteAsync<T>(Cluster cluster, T current, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ResourceKey.Of(current);
        var informer = cluster.FindInformer<T>();
        try
        {
            var (found, left) = await cluster
                .ClientOf<T>()
                .DeleteAndReturnAsync(key, current.Metadata.Uid, cancellationToken)
                .ConfigureAwait(false);
            if (left is not null)
            {
                informer?.Observe(left);
            }
            else if (found)
            {
                informer?.ObserveDeleted(current);
            }
            else
            {
                informer?.Answered(key, current, null);
            }

            return found;
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
        {
            informer?.Contradicted(key, current);
            throw;
        }
    }
}
