using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Brings objects to their desired state and writes only differences: merge patches of the fields that are ours, computed against the
/// cache; no request at all if nothing differs. The API server's answers enter the cache at once. One per host, for any thread.
/// </summary>
public sealed class Applier
{
    /// <summary>Creates or patches an object that is ours alone; the same as with <see cref="ApplyMode.Exclusive"/>.</summary>
    /// <inheritdoc cref="ApplyAsync{T}(Cluster, T, ApplyMode, CancellationToken)" />
    public Task<Applied<T>> ApplyAsync<T>(Cluster cluster, T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        ApplyAsync(cluster, desired, ApplyMode.Exclusive, cancellationToken);

    /// <summary>
    /// Creates the object, or patches what differs. Ours are all top-level fields of <paramref name="desired"/> but apiVersion, kind,
    /// metadata and status, and the labels, annotations, owner references (by uid) and finalizers it carries; what others added to
    /// metadata stays. What we set at an earlier apply and no longer want is removed, also after a restart. Needs a registered informer.
    /// </summary>
    /// <exception cref="StaleCacheException">The object exists although the cache did not show it; it is in the cache now.</exception>
    /// <exception cref="k8s.Autorest.HttpOperationException">The API server refused the write.</exception>
    public Task<Applied<T>> ApplyAsync<T>(Cluster cluster, T desired, ApplyMode mode, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();

    /// <summary>Makes the whole <c>.status</c> of <paramref name="current"/> equal to <paramref name="desiredStatus"/>.</summary>
    /// <param name="cluster">Where the object lives.</param>
    /// <param name="current">The object as the cache shows it.</param>
    /// <param name="desiredStatus">The value of <c>.status</c>, an object. Fields that it lacks are removed.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public Task<Applied<T>> ApplyStatusAsync<T>(Cluster cluster, T current, JsonNode desiredStatus, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();

    /// <summary>Merges <paramref name="statusPatch"/> into the <c>.status</c> of <paramref name="current"/>; no request if it changes nothing.</summary>
    /// <param name="cluster">Where the object lives.</param>
    /// <param name="current">The object as the cache shows it.</param>
    /// <param name="statusPatch">A merge patch (RFC 7386) of the value of <c>.status</c>, for example <c>{"conditions": […]}</c>.</param>
    /// <param name="guarded">
    /// True to patch only this version of the object: the API server answers 409 if it changed meanwhile. Needed when the patch holds a list
    /// with entries of others.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public Task<Applied<T>> PatchStatusAsync<T>(
        Cluster cluster, T current, JsonObject statusPatch, bool guarded, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();

    /// <summary>Deletes exactly this incarnation (uid) of an object. If finalizers hold it, the cache keeps it until they are gone.</summary>
    /// <returns>False if it was gone already.</returns>
    public Task<bool> DeleteAsync<T>(Cluster cluster, T current, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();

    /// <summary>Adds a finalizer, guarded by resourceVersion; no request if it is there or the object is being deleted.</summary>
    /// <returns>The object as it is now.</returns>
    public Task<T> EnsureFinalizerAsync<T>(Cluster cluster, T current, string finalizer, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();

    /// <summary>Removes a finalizer, guarded by resourceVersion; no request if it is not there. An object that is gone is a success.</summary>
    /// <returns>The object as it is now.</returns>
    public Task<T> RemoveFinalizerAsync<T>(Cluster cluster, T current, string finalizer, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotImplementedException();
}
