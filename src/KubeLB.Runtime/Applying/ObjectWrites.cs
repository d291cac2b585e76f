using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Applying;

/// <summary>The requests of the applier, each with the cache kept up to date and with "the cache was behind" told from other failures.</summary>
internal static class ObjectWrites
{
    public static JsonObject StatusOf<T>(T current)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        ResourceJson.ToNode(current)["status"]?.DeepClone() as JsonObject ?? [];

    public static void Observe<T>(Cluster cluster, T written)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (cluster.Watches<T>())
        {
            cluster.Informer<T>().Observe(written);
        }
    }

    public static async Task<T> CreateAsync<T>(Cluster cluster, ResourceKey key, JsonObject create, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return await cluster.ClientOf<T>().CreateAsync(create, key.Namespace, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict && StatusMessage.ReasonOf(e) is null or "AlreadyExists")
        {
            if (await cluster.ClientOf<T>().GetAsync(key, cancellationToken).ConfigureAwait(false) is { } live)
            {
                Observe(cluster, live);
            }

            throw new StaleCacheException($"{ResourceKind.Of<T>()} {key} exists in cluster \"{cluster.Name}\" although the cache did not show it.", e);
        }
    }

    public static async Task<T> PatchAsync<T>(Cluster cluster, ResourceKey key, JsonObject patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return await cluster.Client<T>().MergePatchAsync(key, patch, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            throw new StaleCacheException($"{ResourceKind.Of<T>()} {key} is gone from cluster \"{cluster.Name}\" although the cache still showed it.", e);
        }
    }

    public static async Task<Applied<T>> WriteStatusAsync<T>(
        Cluster cluster, T current, JsonObject status, bool guarded, CancellationToken cancellationToken)
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
            var patched = await cluster.Client<T>().MergePatchStatusAsync(key, patch, cancellationToken).ConfigureAwait(false);
            Observe(cluster, patched);
            return new(patched, ApplyOutcome.Patched);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            throw new StaleCacheException(
                $"{ResourceKind.Of<T>()} {key} is gone from cluster \"{cluster.Name}\" although the cache still showed it (or the kind has no status subresource).", e);
        }
    }

    public static async Task<T> WriteAnnotationsAsync<T>(
        Cluster cluster, T current, IReadOnlyDictionary<string, string?> annotations, CancellationToken cancellationToken)
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
        var patched = await PatchAsync<T>(cluster, ResourceKey.Of(current), patch, cancellationToken).ConfigureAwait(false);
        Observe(cluster, patched);
        return patched;
    }

    public static async Task<T> WriteFinalizersAsync<T>(
        Cluster cluster, T current, IEnumerable<string> finalizers, CancellationToken cancellationToken)
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
        var patched = await PatchAsync<T>(cluster, ResourceKey.Of(current), patch, cancellationToken).ConfigureAwait(false);
        if (patched.Metadata.DeletionTimestamp is not null && patched.Metadata.Finalizers is not { Count: > 0 } && cluster.Watches<T>())
        {
            // The last finalizer held it: with this write the object is gone.
            cluster.Informer<T>().ObserveDeleted(patched);
        }
        else
        {
            Observe(cluster, patched);
        }

        return patched;
    }
}
