using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// The write requests of the applier. Each response updates the cache. A stale cache results in a <see cref="StaleCacheException"/>, or in
/// the 409 of the API server.
/// </summary>
internal static class ObjectWrites
{
    public static JsonObject StatusOf<T>(T current)
        where T : class, IKubernetesObject<V1ObjectMeta> => ApiJson.ToJson(current)["status"]?.DeepClone() as JsonObject ?? [];

    /// <summary>Creates an object that is not in the cache.</summary>
    /// <param name="cluster">Its cluster.</param>
    /// <param name="key">The object.</param>
    /// <param name="create">The object as JSON.</param>
    /// <param name="traceAnnotation">The annotation that carries the trace context; null for none.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static async Task<T> CreateAsync<T>(
        Cluster cluster,
        ResourceKey key,
        JsonObject create,
        string? traceAnnotation,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var trace = ReconcileTrace.StartWrite<T>("create", cluster, key, carriesContext: traceAnnotation is not null);
        SetContext(create, traceAnnotation, present: null, trace);
        try
        {
            var created = await cluster.ClientOf<T>().CreateAsync(create, key.Namespace, cancellationToken).ConfigureAwait(false);
            cluster.FindInformer<T>()?.ObserveResponse(key, null, created);
            return created;
        }
        catch (Exception e) when (trace?.Fail(e) == true)
        {
            throw;
        }
        catch (HttpOperationException e)
            when (e.Response.StatusCode == HttpStatusCode.Conflict && ApiStatus.ReasonOf(e) is null or "AlreadyExists")
        {
            if (cluster.FindInformer<T>() is { } informer)
            {
                informer.ReportStale(key, null);
                if (await cluster.ClientOf<T>().GetAsync(key, cancellationToken).ConfigureAwait(false) is { } live)
                {
                    var isWatched = await informer.IsInScopeAsync(key, cancellationToken).ConfigureAwait(false);
                    informer.ObserveResponse(key, null, live);
                    if (!isWatched)
                    {
                        informer.ClearStale(key);
                    }
                }
            }

            throw new StaleCacheException(
                $"The cache is stale: {ResourceKind.Of<T>()} {key} already exists in cluster \"{cluster.Name}\".",
                e
            );
        }
    }

    /// <summary>Patches a cached object.</summary>
    /// <param name="cluster">Its cluster.</param>
    /// <param name="current">The cached version.</param>
    /// <param name="patch">The merge patch.</param>
    /// <param name="traceAnnotation">The annotation that carries the trace context; null for none.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static async Task<T> PatchAsync<T>(
        Cluster cluster,
        T current,
        JsonObject patch,
        string? traceAnnotation,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ResourceKey.Of(current);
        using var trace = ReconcileTrace.StartWrite<T>("patch", cluster, key, carriesContext: traceAnnotation is not null);
        SetContext(patch, traceAnnotation, current, trace);
        try
        {
            var patched = await cluster.ClientOf<T>().MergePatchAsync(key, patch, cancellationToken).ConfigureAwait(false);
            cluster.FindInformer<T>()?.ObserveResponse(key, current, patched);
            return patched;
        }
        catch (Exception e) when (trace?.Fail(e) == true)
        {
            throw;
        }
        catch (HttpOperationException e) when (ApiStatus.IsObjectNotFound(e))
        {
            cluster.FindInformer<T>()?.ObserveResponse(key, current, null);
            throw Missing<T>(cluster, key, e);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
        {
            cluster.FindInformer<T>()?.ReportStale(key, current);
            throw;
        }
    }

    // The annotation is part of a write that is sent anyway; without a context, that of an earlier change is removed.
    private static void SetContext(JsonObject body, string? annotation, IKubernetesObject<V1ObjectMeta>? present, WriteTrace? trace)
    {
        if (annotation is null)
        {
            return;
        }

        var context = ReconcileTrace.ContextOf(trace);
        if (context is null && present?.Metadata.Annotations?.ContainsKey(annotation) != true)
        {
            return;
        }

        if (body["metadata"] is not JsonObject metadata)
        {
            body["metadata"] = metadata = [];
        }

        if (metadata["annotations"] is not JsonObject annotations)
        {
            metadata["annotations"] = annotations = [];
        }

        annotations[annotation] = context;
    }

    private static StaleCacheException Missing<T>(Cluster cluster, ResourceKey key, HttpOperationException e) =>
        new($"The cache is stale: {ResourceKind.Of<T>()} {key} no longer exists in cluster \"{cluster.Name}\".", e);

    /// <summary>Patches the status of a cached object.</summary>
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
        using var trace = ReconcileTrace.StartWrite<T>("patch", cluster, key, "status");
        try
        {
            var patched = await cluster.ClientOf<T>().MergePatchStatusAsync(key, patch, cancellationToken).ConfigureAwait(false);
            cluster.FindInformer<T>()?.ObserveResponse(key, current, patched);
            return new(patched, ApplyOutcome.Patched);
        }
        catch (Exception e) when (trace?.Fail(e) == true)
        {
            throw;
        }
        catch (HttpOperationException e) when (ApiStatus.IsObjectNotFound(e))
        {
            // A kind without a status subresource results in the same response.
            if (await cluster.ClientOf<T>().GetAsync(key, cancellationToken).ConfigureAwait(false) is not null)
            {
                throw new StaleCacheException(
                    $"Cannot write the status of {ResourceKind.Of<T>()} {key} in cluster \"{cluster.Name}\": the kind has no status "
                        + "subresource.",
                    e
                );
            }

            cluster.FindInformer<T>()?.ObserveResponse(key, current, null);
            throw Missing<T>(cluster, key, e);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
        {
            cluster.FindInformer<T>()?.ReportStale(key, current);
            throw;
        }
    }

    /// <summary>Sets annotations of the cached version of an object; a null value removes the annotation.</summary>
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
        return PatchAsync(cluster, current, patch, traceAnnotation: null, cancellationToken);
    }

    /// <summary>Replaces the finalizers of the cached version of an object.</summary>
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
        var patched = await PatchAsync(cluster, current, patch, traceAnnotation: null, cancellationToken).ConfigureAwait(false);
        if (patched.Metadata.DeletionTimestamp is not null && patched.Metadata.Finalizers is not { Count: > 0 })
        {
            // Removing the last finalizer completes the deletion.
            cluster.FindInformer<T>()?.ObserveDeleted(patched);
        }

        return patched;
    }

    /// <summary>Deletes a cached object, with its uid as a precondition.</summary>
    /// <returns>False if the object did not exist.</returns>
    public static async Task<bool> DeleteAsync<T>(Cluster cluster, T current, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ResourceKey.Of(current);
        var informer = cluster.FindInformer<T>();
        using var trace = ReconcileTrace.StartWrite<T>("delete", cluster, key);
        try
        {
            var (found, remaining) = await cluster
                .ClientOf<T>()
                .DeleteAndReturnAsync(key, current.Metadata.Uid, cancellationToken)
                .ConfigureAwait(false);
            if (remaining is not null)
            {
                informer?.Observe(remaining);
            }
            else if (found)
            {
                informer?.ObserveDeleted(current);
            }
            else
            {
                informer?.ObserveResponse(key, current, null);
            }

            return found;
        }
        catch (Exception e) when (trace?.Fail(e) == true)
        {
            throw;
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
        {
            informer?.ReportStale(key, current);
            throw;
        }
    }
}

/// <summary>
/// A write failed because the cache was stale. This is expected: the key is requeued with backoff and the failure is logged at Debug.
/// </summary>
public sealed class StaleCacheException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StaleCacheException(string message)
        : base(message) { }

    /// <summary>Creates the exception with the API server's error as its cause.</summary>
    public StaleCacheException(string message, Exception innerException)
        : base(message, innerException) { }
}
