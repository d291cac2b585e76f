using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Applies objects and writes only differences: it sends merge patches of the fields that this component owns, computed against the cache,
/// and no request if nothing differs. Responses of the API server update the cache at once. A host has one applier. Thread-safe.
/// </summary>
[SuppressMessage("Performance", "CA1822", Justification = "Callers use one injected object, also for members without state.")]
public sealed class Applier
{
    private readonly string _annotation;
    private readonly AppliedHashes _hashes = new();

    internal Applier(KubeRuntimeOptions options)
    {
        _annotation = options.ApplierAnnotation;
    }

    /// <summary>Creates or patches an object that no other client writes, in the mode <see cref="ApplyMode.Exclusive"/>.</summary>
    /// <inheritdoc cref="ApplyAsync{T}(Cluster, T, ApplyMode, CancellationToken)" />
    public Task<Applied<T>> ApplyAsync<T>(Cluster cluster, T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => ApplyAsync(cluster, desired, ApplyMode.Exclusive, cancellationToken);

    /// <summary>
    /// Creates the object, or patches what differs. Owned fields are all top-level fields of <paramref name="desired"/> except apiVersion,
    /// kind, metadata and status, and its labels, annotations, owner references (by uid) and finalizers. Other metadata is kept. Fields,
    /// labels and annotations that an earlier apply set and that are no longer desired are removed, even after a restart. Requires an
    /// informer for the kind.
    /// </summary>
    /// <exception cref="StaleCacheException">The object exists but was not in the cache; the cache is updated.</exception>
    /// <exception cref="k8s.Autorest.HttpOperationException">The API server rejected the write.</exception>
    public Task<Applied<T>> ApplyAsync<T>(Cluster cluster, T desired, ApplyMode mode, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => ApplyAsync(cluster, desired, mode, [], cancellationToken);

    /// <param name="cluster">The cluster of the object.</param>
    /// <param name="desired">The desired object.</param>
    /// <param name="mode">The fields that this component owns.</param>
    /// <param name="wholeFields">
    /// Paths such as <c>spec.selector</c> that are completely owned in every mode: keys that other clients add to such a field are removed,
    /// and the field itself is removed if it is not desired.
    /// </param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <inheritdoc cref="ApplyAsync{T}(Cluster, T, ApplyMode, CancellationToken)" />
    public Task<Applied<T>> ApplyAsync<T>(
        Cluster cluster,
        T desired,
        ApplyMode mode,
        IReadOnlyCollection<string> wholeFields,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta> => ApplyAsync(cluster, desired, mode, wholeFields, [], null, cancellationToken);

    /// <summary>
    /// Applies an object that carries the trace context of the change to another process. The annotation is set or removed with a write
    /// that is sent anyway, is never a reason for one, and is not part of the record.
    /// </summary>
    /// <param name="cluster">The cluster of the object.</param>
    /// <param name="desired">The desired object, without the annotation.</param>
    /// <param name="traceAnnotation">The annotation.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <inheritdoc cref="ApplyAsync{T}(Cluster, T, CancellationToken)" />
    public Task<Applied<T>> ApplyWithContextAsync<T>(
        Cluster cluster,
        T desired,
        string traceAnnotation,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentException.ThrowIfNullOrEmpty(traceAnnotation);
        return ApplyAsync(cluster, desired, ApplyMode.Exclusive, [], [], traceAnnotation, cancellationToken);
    }

    /// <summary>
    /// Applies an existing object in <see cref="ApplyMode.Subset"/>, except for one field, which keeps its current value. The record of
    /// earlier applies keeps the field, so that the next <see cref="ApplyAsync{T}(Cluster, T, ApplyMode, CancellationToken)"/> applies it.
    /// An object that does not exist is created with all fields.
    /// </summary>
    /// <param name="cluster">The cluster of the object.</param>
    /// <param name="desired">The desired object, including the field.</param>
    /// <param name="skippedField">A path such as <c>spec.template</c>.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<Applied<T>> ApplyExceptAsync<T>(Cluster cluster, T desired, string skippedField, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        ApplyAsync(cluster, desired, ApplyMode.Subset, [], [skippedField], null, cancellationToken);

    /// <summary>
    /// Whether an apply in <see cref="ApplyMode.Subset"/> would change a field of a cached object; false if the object is not cached.
    /// Sends no request.
    /// </summary>
    /// <param name="cluster">The cluster of the object.</param>
    /// <param name="desired">The desired object.</param>
    /// <param name="field">A path such as <c>spec.template</c>.</param>
    public bool WouldChange<T>(Cluster cluster, T desired, string field)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentException.ThrowIfNullOrEmpty(field);
        var key = ResourceKey.Of(desired);
        if (cluster.Informer<T>().Get(key) is not { } current)
        {
            return false;
        }

        var target = DesiredObject.From(ApiJson.ToJson(desired), _annotation);
        var plan = new ApplyPlan(target, ApiJson.ToJson(current), _annotation, ApplyMode.Subset);
        var id = new AppliedHashes.ObjectId(cluster.Name, ResourceKind.Of<T>(), key);
        return !IsUpToDate(plan, id, current, target, ApplyMode.Subset)
            && field.Split('.').Aggregate((JsonNode?)plan.Patch(), (node, step) => (node as JsonObject)?[step]) is not null;
    }

    /// <summary>Makes the entire <c>.status</c> of <paramref name="current"/> equal to <paramref name="desiredStatus"/>.</summary>
    /// <param name="cluster">The cluster of the object.</param>
    /// <param name="current">The cached object.</param>
    /// <param name="desiredStatus">The value of <c>.status</c>, an object. Fields that it does not contain are removed.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<Applied<T>> ApplyStatusAsync<T>(Cluster cluster, T current, JsonNode desiredStatus, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(current);
        return StatusPatch(current, desiredStatus) is not { } patch
            ? Task.FromResult(new Applied<T>(current, ApplyOutcome.Unchanged))
            : ObjectWrites.WriteStatusAsync(cluster, current, patch, guarded: false, cancellationToken);
    }

    /// <summary>
    /// Whether the <c>.status</c> of an object has the desired value, so that <see cref="ApplyStatusAsync"/> sends no request.
    /// </summary>
    public static bool IsStatusApplied<T>(T current, JsonNode desiredStatus)
        where T : class, IKubernetesObject<V1ObjectMeta> => StatusPatch(current, desiredStatus) is null;

    private static JsonObject? StatusPatch<T>(T current, JsonNode desiredStatus)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (desiredStatus is not JsonObject target)
        {
            throw new ArgumentException("A status must be a JSON object.", nameof(desiredStatus));
        }

        var present = ObjectWrites.StatusOf(current);
        return JsonComparison.AreEqual(present, target) ? null : MergePatch.Diff(present, target);
    }

    /// <summary>
    /// Merges <paramref name="statusPatch"/> into the <c>.status</c> of <paramref name="current"/>; no request if it changes nothing.
    /// </summary>
    /// <param name="cluster">The cluster of the object.</param>
    /// <param name="current">The cached object.</param>
    /// <param name="statusPatch">A merge patch (RFC 7386) of the value of <c>.status</c>, for example <c>{"conditions": […]}</c>.</param>
    /// <param name="guarded">
    /// True to patch only this version of the object: the API server responds with 409 if it has changed. Required if the patch contains a
    /// list with entries of other writers.
    /// </param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<Applied<T>> PatchStatusAsync<T>(
        Cluster cluster,
        T current,
        JsonObject statusPatch,
        bool guarded,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(statusPatch);
        var present = ObjectWrites.StatusOf(current);
        return JsonComparison.AreEqual(present, MergePatch.Apply(present, statusPatch))
            ? Task.FromResult(new Applied<T>(current, ApplyOutcome.Unchanged))
            : ObjectWrites.WriteStatusAsync(cluster, current, (JsonObject)statusPatch.DeepClone(), guarded, cancellationToken);
    }

    /// <summary>
    /// Deletes an object with its uid as a precondition. While finalizers block the deletion, the cache keeps the object.
    /// </summary>
    /// <returns>False if the object did not exist.</returns>
    public async Task<bool> DeleteAsync<T>(Cluster cluster, T current, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var key = ResourceKey.Of(current);
        _hashes.Remove(new(cluster.Name, ResourceKind.Of<T>(), key));
        return await ObjectWrites.DeleteAsync(cluster, current, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sets annotations, or removes those whose value is null, guarded by resourceVersion: the API server responds with 409 if the object
    /// has changed. The record of <see cref="ApplyAsync{T}(Cluster, T, CancellationToken)"/> does not include them.
    /// </summary>
    /// <returns>The updated object.</returns>
    public Task<T> PatchAnnotationsAsync<T>(
        Cluster cluster,
        T current,
        IReadOnlyDictionary<string, string?> annotations,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(annotations);
        return ObjectWrites.WriteAnnotationsAsync(cluster, current, annotations, cancellationToken);
    }

    /// <summary>Adds a finalizer, guarded by resourceVersion; no request if it is set or the object is being deleted.</summary>
    /// <returns>The updated object.</returns>
    public Task<T> EnsureFinalizerAsync<T>(Cluster cluster, T current, string finalizer, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentException.ThrowIfNullOrEmpty(finalizer);
        var present = current.Metadata.Finalizers ?? [];
        return present.Contains(finalizer) || current.Metadata.DeletionTimestamp is not null
            ? Task.FromResult(current)
            : ObjectWrites.WriteFinalizersAsync(cluster, current, present.Append(finalizer), cancellationToken);
    }

    /// <summary>
    /// Removes a finalizer, guarded by resourceVersion; no request if it is not set. Succeeds if the object no longer exists.
    /// </summary>
    /// <returns>The updated object.</returns>
    public async Task<T> RemoveFinalizerAsync<T>(Cluster cluster, T current, string finalizer, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(current);
        ArgumentException.ThrowIfNullOrEmpty(finalizer);
        var present = current.Metadata.Finalizers ?? [];
        if (!present.Contains(finalizer))
        {
            return current;
        }

        try
        {
            return await ObjectWrites
                .WriteFinalizersAsync(cluster, current, present.Where(f => f != finalizer), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (StaleCacheException)
        {
            return current;
        }
    }

    private async Task<Applied<T>> ApplyAsync<T>(
        Cluster cluster,
        T desired,
        ApplyMode mode,
        IReadOnlyCollection<string> wholeFields,
        IReadOnlyCollection<string> skippedFields,
        string? traceAnnotation,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var key = ResourceKey.Of(desired);
        var informer = cluster.Informer<T>();
        var json = ApiJson.ToJson(desired);
        var target = DesiredObject.From(json, _annotation);
        var id = new AppliedHashes.ObjectId(cluster.Name, ResourceKind.Of<T>(), key);
        if (informer.Get(key) is not { } current)
        {
            var create = target.ToCreate(json, _annotation, AppliedRecord.From(target, mode));
            var created = await ObjectWrites.CreateAsync<T>(cluster, key, create, traceAnnotation, cancellationToken).ConfigureAwait(false);
            StoreHash(informer, id, target, created, mode);
            return new(created, ApplyOutcome.Created);
        }

        if (skippedFields.Count > 0)
        {
            target = target.Without(skippedFields);
        }

        var plan = new ApplyPlan(target, ApiJson.ToJson(current), _annotation, mode, wholeFields, skippedFields);
        var patch = IsUpToDate(plan, id, current, target, mode) ? [] : plan.Patch();
        if (patch.Count == 0)
        {
            _hashes.Set(id, current.Metadata.Uid, target.Hash, plan.OwnedHash(), () => informer.Get(key) is not null);
            return new(current, ApplyOutcome.Unchanged);
        }

        var patched = await ObjectWrites.PatchAsync(cluster, current, patch, traceAnnotation, cancellationToken).ConfigureAwait(false);
        StoreHash(informer, id, target, patched, mode);
        return new(patched, ApplyOutcome.Patched) { IsRepair = plan.RecordMatches };
    }

    private bool IsUpToDate<T>(ApplyPlan plan, AppliedHashes.ObjectId id, T current, DesiredObject target, ApplyMode mode)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (!plan.RecordMatches || !plan.MetadataMatches())
        {
            return false;
        }

        var hash = _hashes.Find(id, current.Metadata.Uid, target.Hash);
        if (hash is not null && hash == plan.OwnedHash())
        {
            // The owned fields have not changed since the last apply. If a value differs from the desired one, the API server normalized
            // it, and a patch would have no effect.
            return true;
        }

        return (hash is null || mode == ApplyMode.Subset) && plan.SectionsContainDesired();
    }

    private void StoreHash<T>(IInformer<T> informer, AppliedHashes.ObjectId id, DesiredObject target, T response, ApplyMode mode)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // The informer's transform may have dropped fields, and the next apply compares with the cached object.
        var cached =
            informer.Get(id.Key) is { } stored && stored.Metadata.ResourceVersion == response.Metadata.ResourceVersion ? stored : response;
        var after = new ApplyPlan(target, ApiJson.ToJson(cached), _annotation, mode);
        _hashes.Set(id, response.Metadata.Uid, target.Hash, after.OwnedHash(), () => informer.Get(id.Key) is not null);
    }
}

/// <summary>The result of an apply.</summary>
/// <typeparam name="T">The kind of object.</typeparam>
/// <param name="Object">The object after the apply.</param>
/// <param name="Outcome">The kind of write, if any.</param>
#pragma warning disable CA1720 // "Object" is the Kubernetes term.
public sealed record Applied<T>(T Object, ApplyOutcome Outcome)
#pragma warning restore CA1720
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Whether the desired state equals that of the last apply, which means that the patch reverted an external change.
    /// </summary>
    public bool IsRepair { get; init; }
}

/// <summary>The write that an apply made.</summary>
public enum ApplyOutcome
{
    /// <summary>The object was up to date; no request was sent.</summary>
    Unchanged,

    /// <summary>The object did not exist and was created.</summary>
    Created,

    /// <summary>Differences were patched.</summary>
    Patched,
}

/// <summary>The part of a section (such as <c>spec</c>) that the applier owns.</summary>
public enum ApplyMode
{
    /// <summary>The entire section: keys that other clients add are removed, except for defaults that the API server sets.</summary>
    Exclusive,

    /// <summary>
    /// Only the fields that are desired now or were desired at the last apply. Other clients may write further fields, for example cloud
    /// controllers in a Service.
    /// </summary>
    Subset,
}
