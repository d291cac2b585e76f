using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Brings objects to their desired state and writes only differences: merge patches of the fields that are ours, computed against the
/// cache; no request at all if nothing differs. The API server's answers enter the cache at once. One per host, for any thread.
/// </summary>
[SuppressMessage("Performance", "CA1822", Justification = "One object to ask for, whichever of its members need its memory.")]
public sealed class Applier
{
    private readonly string _annotation;
    private readonly AppliedMemory _memory = new();

    internal Applier(KubeRuntimeOptions options)
    {
        _annotation = options.ApplierAnnotation;
    }

    /// <summary>Creates or patches an object that is ours alone; the same as with <see cref="ApplyMode.Exclusive"/>.</summary>
    /// <inheritdoc cref="ApplyAsync{T}(Cluster, T, ApplyMode, CancellationToken)" />
    public Task<Applied<T>> ApplyAsync<T>(Cluster cluster, T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => ApplyAsync(cluster, desired, ApplyMode.Exclusive, cancellationToken);

    /// <summary>
    /// Creates the object, or patches what differs. Ours are all top-level fields of <paramref name="desired"/> but apiVersion, kind,
    /// metadata and status, and the labels, annotations, owner references (by uid) and finalizers it carries; what others added to
    /// metadata stays. What we set at an earlier apply and no longer want is removed, also after a restart. Needs a registered informer.
    /// </summary>
    /// <exception cref="StaleCacheException">The object exists although the cache did not show it; it is in the cache now.</exception>
    /// <exception cref="k8s.Autorest.HttpOperationException">The API server refused the write.</exception>
    public Task<Applied<T>> ApplyAsync<T>(Cluster cluster, T desired, ApplyMode mode, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => ApplyAsync(cluster, desired, mode, [], cancellationToken);

    /// <param name="cluster">Where the object lives.</param>
    /// <param name="desired">The object as it should be.</param>
    /// <param name="mode">How much of its sections is ours.</param>
    /// <param name="wholeFields">
    /// Paths such as <c>spec.selector</c> that are ours as a whole in every mode: what others add inside is removed, and so is the field
    /// itself if it is not desired.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <inheritdoc cref="ApplyAsync{T}(Cluster, T, ApplyMode, CancellationToken)" />
    public Task<Applied<T>> ApplyAsync<T>(
        Cluster cluster,
        T desired,
        ApplyMode mode,
        IReadOnlyCollection<string> wholeFields,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta> => ApplyAsync(cluster, desired, mode, wholeFields, [], cancellationToken);

    /// <summary>
    /// Applies all but one field of an existing object, in <see cref="ApplyMode.Subset"/>: the field stays as it is, and what an earlier
    /// apply set in it stays known, so that the next <see cref="ApplyAsync{T}(Cluster, T, ApplyMode, CancellationToken)"/> makes up for it.
    /// An object that does not exist is created whole.
    /// </summary>
    /// <param name="cluster">Where the object lives.</param>
    /// <param name="desired">The object as it should be in the end.</param>
    /// <param name="heldField">A path such as <c>spec.template</c>.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public Task<Applied<T>> ApplyExceptAsync<T>(Cluster cluster, T desired, string heldField, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        ApplyAsync(cluster, desired, ApplyMode.Subset, [], [heldField], cancellationToken);

    /// <summary>
    /// Whether an apply in <see cref="ApplyMode.Subset"/> would change a field of an object that is in the cache; false if it is not there.
    /// Nothing is sent.
    /// </summary>
    /// <param name="cluster">Where the object lives.</param>
    /// <param name="desired">The object as it should be.</param>
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

        var wanted = DesiredObject.Of(ResourceJson.ToNode(desired), _annotation);
        var plan = new ApplyPlan(wanted, ResourceJson.ToNode(current), _annotation, ApplyMode.Subset);
        var id = new AppliedMemory.ObjectId(cluster.Name, ResourceKind.Of<T>(), key);
        return !IsSettled(plan, id, current, wanted, ApplyMode.Subset)
            && field.Split('.').Aggregate((JsonNode?)plan.Patch(), (node, step) => (node as JsonObject)?[step]) is not null;
    }

    /// <summary>Makes the whole <c>.status</c> of <paramref name="current"/> equal to <paramref name="desiredStatus"/>.</summary>
    /// <param name="cluster">Where the object lives.</param>
    /// <param name="current">The object as the cache shows it.</param>
    /// <param name="desiredStatus">The value of <c>.status</c>, an object. Fields that it lacks are removed.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public Task<Applied<T>> ApplyStatusAsync<T>(Cluster cluster, T current, JsonNode desiredStatus, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(current);
        if (desiredStatus is not JsonObject wanted)
        {
            throw new ArgumentException("A status must be a JSON object.", nameof(desiredStatus));
        }

        var present = ObjectWrites.StatusOf(current);
        return JsonScalars.Same(present, wanted) || MergePatch.Diff(present, wanted) is not { } patch
            ? Task.FromResult(new Applied<T>(current, ApplyOutcome.Unchanged))
            : ObjectWrites.WriteStatusAsync(cluster, current, patch, guarded: false, cancellationToken);
    }

    /// <summary>
    /// Merges <paramref name="statusPatch"/> into the <c>.status</c> of <paramref name="current"/>; no request if it changes nothing.
    /// </summary>
    /// <param name="cluster">Where the object lives.</param>
    /// <param name="current">The object as the cache shows it.</param>
    /// <param name="statusPatch">A merge patch (RFC 7386) of the value of <c>.status</c>, for example <c>{"conditions": […]}</c>.</param>
    /// <param name="guarded">
    /// True to patch only this version of the object: the API server answers 409 if it changed meanwhile. Needed when the patch holds a
    /// list with entries of others.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
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
        return JsonScalars.Same(present, MergePatch.Apply(present, statusPatch))
            ? Task.FromResult(new Applied<T>(current, ApplyOutcome.Unchanged))
            : ObjectWrites.WriteStatusAsync(cluster, current, (JsonObject)statusPatch.DeepClone(), guarded, cancellationToken);
    }

    /// <summary>
    /// Deletes exactly this incarnation (uid) of an object. If finalizers hold it, the cache keeps it until they are gone.
    /// </summary>
    /// <returns>False if it was gone already.</returns>
    public async Task<bool> DeleteAsync<T>(Cluster cluster, T current, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var key = ResourceKey.Of(current);
        _memory.Forget(new(cluster.Name, ResourceKind.Of<T>(), key));
        return await ObjectWrites.DeleteAsync(cluster, current, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sets annotations, or removes those whose value is null, guarded by resourceVersion: the API server answers 409 if the object changed
    /// meanwhile. They do not become part of what <see cref="ApplyAsync{T}(Cluster, T, CancellationToken)"/> remembers.
    /// </summary>
    /// <returns>The object as it is now.</returns>
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

    /// <summary>Adds a finalizer, guarded by resourceVersion; no request if it is there or the object is being deleted.</summary>
    /// <returns>The object as it is now.</returns>
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
    /// Removes a finalizer, guarded by resourceVersion; no request if it is not there. An object that is gone is a success.
    /// </summary>
    /// <returns>The object as it is now.</returns>
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
        IReadOnlyCollection<string> heldFields,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var key = ResourceKey.Of(desired);
        var informer = cluster.Informer<T>();
        var json = ResourceJson.ToNode(desired);
        var wanted = DesiredObject.Of(json, _annotation);
        var id = new AppliedMemory.ObjectId(cluster.Name, ResourceKind.Of<T>(), key);
        if (informer.Get(key) is not { } current)
        {
            var create = wanted.ToCreate(json, _annotation, AppliedRecord.Of(wanted, mode));
            var created = await ObjectWrites.CreateAsync<T>(cluster, key, create, cancellationToken).ConfigureAwait(false);
            Written(informer, id, wanted, created, mode);
            return new(created, ApplyOutcome.Created);
        }

        if (heldFields.Count > 0)
        {
            wanted = wanted.Without(heldFields);
        }

        var plan = new ApplyPlan(wanted, ResourceJson.ToNode(current), _annotation, mode, wholeFields, heldFields);
        if (IsSettled(plan, id, current, wanted, mode))
        {
            _memory.Remember(id, current.Metadata.Uid, wanted.Hash, plan.OwnedHash(), () => informer.Get(key) is not null);
            return new(current, ApplyOutcome.Unchanged);
        }

        var patch = plan.Patch();
        if (patch.Count == 0)
        {
            _memory.Remember(id, current.Metadata.Uid, wanted.Hash, plan.OwnedHash(), () => informer.Get(key) is not null);
            return new(current, ApplyOutcome.Unchanged);
        }

        var patched = await ObjectWrites.PatchAsync(cluster, current, patch, cancellationToken).ConfigureAwait(false);
        Written(informer, id, wanted, patched, mode);
        return new(patched, ApplyOutcome.Patched) { IsRepair = plan.RecordMatches };
    }

    private bool IsSettled<T>(ApplyPlan plan, AppliedMemory.ObjectId id, T current, DesiredObject wanted, ApplyMode mode)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (!plan.RecordMatches || !plan.MetadataMatches())
        {
            return false;
        }

        var remembered = _memory.Find(id, current.Metadata.Uid, wanted.Hash);
        if (remembered is not null && remembered == plan.OwnedHash())
        {
            // Also where the API server stores a value in another form than we send it: asking again would change nothing.
            return true;
        }

        return (remembered is null || mode == ApplyMode.Subset) && plan.SectionsHoldDesired();
    }

    private void Written<T>(IInformer<T> informer, AppliedMemory.ObjectId id, DesiredObject wanted, T answer, ApplyMode mode)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // A transform may have dropped parts; what the next apply will see counts.
        var shown =
            informer.Get(id.Key) is { } stored && stored.Metadata.ResourceVersion == answer.Metadata.ResourceVersion ? stored : answer;
        var after = new ApplyPlan(wanted, ResourceJson.ToNode(shown), _annotation, mode);
        _memory.Remember(id, answer.Metadata.Uid, wanted.Hash, after.OwnedHash(), () => informer.Get(id.Key) is not null);
    }
}
