using k8s;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>The members of an informer that the runtime uses, independent of its type.</summary>
internal interface IInformerRunner : IDisposable
{
    ResourceKind Kind { get; }

    bool HasSynced { get; }

    /// <summary>The current error of list or watch; null if there is none.</summary>
    ApiError? Error { get; }

    /// <summary>Which controllers are blocked while the API server does not serve the kind.</summary>
    WhenAbsent WhenAbsent { get; }

    /// <summary>The keys of all stored objects.</summary>
    IReadOnlyCollection<ResourceKey> Keys();

    /// <summary>The number of stored objects whose metadata match a condition.</summary>
    int CountOf(Func<V1ObjectMeta, bool> condition);

    /// <summary>Completes after the first list is in the store.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Completes after the first list is in the store, or if the kind may be absent and is not served.</summary>
    Task WaitUntilUsableAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends the current watch, so that the next request uses the new connection. If the server changed, a complete list follows.
    /// </summary>
    void Reconnect(bool serverChanged);

    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>A store and the reflector that updates it.</summary>
internal sealed class Informer<T> : IInformer<T>, IInformerRunner, IReflectorSink<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private static readonly TimeSpan HandlerLogInterval = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly string _cluster;
    private readonly InformerBuilder<T> _settings;
    private readonly ObjectStore<T> _store;
    private readonly Reflector<T> _reflector;
    private readonly StaleKeys _staleKeys;
    private readonly ResourceClient<T> _client;
    private readonly RuntimeMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _usable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<ResourceKey> _skippedInList = [];
    private volatile bool _complete;
    private volatile bool _notServed;
    private long _handlerFailureLoggedAt;

    public Informer(
        string cluster,
        ResourceClient<T> client,
        ApiTransport transport,
        InformerBuilder<T> settings,
        ClusterErrors clusterErrors,
        ReflectorSettings limits,
        RuntimeMetrics metrics,
        TimeProvider time,
        ILogger logger
    )
    {
        _cluster = cluster;
        _settings = settings;
        _metrics = metrics;
        _logger = logger;
        Kind = client.Kind;
        _store = new ObjectStore<T>(
            settings.Indexes,
            (index, key, e) => Log.IndexFailed(logger, e, index, Kind.FullName, key),
            HandlerFailed,
            count => metrics.InformerObjects(cluster, Kind.FullName, count),
            time
        );
        _time = time;
        var scope = new ListQuery
        {
            Namespace = settings.Namespace,
            LabelSelector = settings.LabelSelector,
            FieldSelector = settings.FieldSelector,
        };
        _reflector = new Reflector<T>(
            cluster,
            client,
            transport,
            scope,
            settings.WhenAbsent == WhenAbsent.BlockNone,
            settings.MayBeForbidden,
            this,
            clusterErrors,
            limits with
            {
                PageSize = settings.PageSize ?? limits.PageSize,
            },
            time,
            logger
        );
        _client = client;
        _staleKeys = new StaleKeys(
            limits,
            time,
            key =>
            {
                Log.StaleObject(logger, Kind.FullName, key, cluster);
                _reflector!.Restart(list: true);
            }
        );
        metrics.InformerSynced(cluster, Kind.FullName, false);
    }

    public ResourceKind Kind { get; }

    public bool HasSynced => _synced.Task.IsCompleted;

    public bool IsAbsent => _notServed && WhenAbsent == WhenAbsent.BlockNone;

    public bool IsComplete => _complete;

    public long Removals => _store.Removals;

    public string? LastError => _reflector.Error?.Message;

    public ApiError? Error => _reflector.Error;

    public WhenAbsent WhenAbsent => _settings.WhenAbsent;

    public T? Get(ResourceKey key) => _store.Get(key);

    public T? Get(string ns, string name) => _store.Get(new ResourceKey(ns, name));

    public IReadOnlyCollection<T> List() => _store.List();

    public IReadOnlyList<T> ByIndex(string index, string value) => _store.ByIndex(index, value);

    public int CountByIndex(string index, string value) => _store.CountByIndex(index, value);

    public IDisposable Subscribe(Action<Change<T>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return _store.Subscribe(handler);
    }

    /// <param name="handler">The handler.</param>
    /// <param name="onFailedKey">Called with the key of a change that the handler failed on.</param>
    /// <inheritdoc cref="Subscribe(Action{Change{T}})"/>
    public IDisposable Subscribe(Action<Change<T>> handler, Action<ResourceKey> onFailedKey) => _store.Subscribe(handler, onFailedKey);

    public IReadOnlyCollection<ResourceKey> Keys() => [.. _store.List().Select(ResourceKey.Of)];

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    public int CountOf(Func<V1ObjectMeta, bool> condition) => _store.List().Count(o => condition(o.Metadata));

    public Task WaitUntilUsableAsync(CancellationToken cancellationToken) => _usable.Task.WaitAsync(cancellationToken);

    public void Observe(T written)
    {
        ArgumentNullException.ThrowIfNull(written);
        if (IsInNamespace(written) && Transform(ApiJson.Copy(written)) is { } transformed)
        {
            _store.UpsertOwn(transformed);
        }
    }

    /// <summary>Stores the result of a write that was based on a stored object.</summary>
    /// <param name="key">The object.</param>
    /// <param name="basis">The stored object that the write was based on; null for none.</param>
    /// <param name="live">The object in the response; null if it does not exist.</param>
    public void ObserveResponse(ResourceKey key, T? basis, T? live)
    {
        if (live is not null && !IsInNamespace(live))
        {
            return;
        }

        var transformed = live is null ? null : Transform(ApiJson.Copy(live));
        if (live is null || transformed is not null)
        {
            _store.ApplyResponse(key, basis, transformed, () => _staleKeys.Add(key));
        }
    }

    /// <summary>Reports that the API server rejected a write because the stored object is stale.</summary>
    /// <param name="key">The object.</param>
    /// <param name="basis">The stored object that the write was based on; null for none.</param>
    public void ReportStale(ResourceKey key, T? basis) =>
        // If the stored object has changed since, the watch has already updated it.
        _store.IfUnchanged(key, basis, () => _staleKeys.Add(key));

    /// <summary>Withdraws <see cref="ReportStale"/>: the stored object differs for a known reason and no list is required.</summary>
    public void ClearStale(ResourceKey key) => _staleKeys.Remove(key);

    /// <summary>
    /// Whether an existing object matches the selectors of the informer. Sends a request only if the informer has a selector.
    /// </summary>
    public async Task<bool> IsInScopeAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(_settings.LabelSelector) && string.IsNullOrEmpty(_settings.FieldSelector))
        {
            return true;
        }

        var byName = $"metadata.name={key.Name}";
        var query = new ListQuery
        {
            Namespace = key.Namespace,
            LabelSelector = _settings.LabelSelector,
            FieldSelector = string.IsNullOrEmpty(_settings.FieldSelector) ? byName : $"{_settings.FieldSelector},{byName}",
        };
        var found = await _client.ListAsync(query, cancellationToken).ConfigureAwait(false);
        return found.Items.Count + found.Undecodable.Count > 0;
    }

    public void Reconnect(bool serverChanged)
    {
        // The stored objects may belong to another cluster.
        _complete &= !serverChanged;
        _reflector.Restart(list: serverChanged);
    }

    public void ObserveDeleted(T deleted)
    {
        ArgumentNullException.ThrowIfNull(deleted);
        _store.DeleteOwn(deleted);
    }

    public void Dispose()
    {
        _staleKeys.Dispose();
        _reflector.Dispose();
    }

    public Task RunAsync(CancellationToken cancellationToken) => _reflector.RunAsync(cancellationToken);

    void IReflectorSink<T>.BeginList()
    {
        _skippedInList.Clear();
        _store.BeginList();
    }

    void IReflectorSink<T>.Replace(
        IReadOnlyList<T> items,
        string resourceVersion,
        IReadOnlyList<UndecodableObject> undecodable,
        bool mayBeRestored
    )
    {
        var skipped = new HashSet<ResourceKey>();
        foreach (var problem in undecodable)
        {
            Skip(problem);
            skipped.Add(new ResourceKey(problem.Namespace, problem.Name));
        }

        skipped.UnionWith(_skippedInList);
        _store.Replace(
            items,
            resourceVersion,
            skipped,
            mayBeRestored,
            () =>
            {
                _notServed = false;
                _complete = true;
            }
        );
        _staleKeys.Clear();
        _metrics.InformerListed(_cluster, Kind.FullName);
        SetSynced(items.Count);
    }

    // Page by page, so that what the transformation saves never adds up to a complete list.
    IEnumerable<T> IReflectorSink<T>.Transform(IReadOnlyList<T> page)
    {
        var transformed = new List<T>(page.Count);
        foreach (var item in page)
        {
            if (Transform(item) is { } result)
            {
                transformed.Add(result);
            }
            else
            {
                _skippedInList.Add(ResourceKey.Of(item));
            }
        }

        return transformed;
    }

    void IReflectorSink<T>.Changed(T obj, bool deleted)
    {
        var key = ResourceKey.Of(obj);
        if (Transform(obj) is { } transformed)
        {
            if (deleted)
            {
                _store.Delete(transformed);
            }
            else
            {
                _store.Upsert(transformed);
            }
        }

        // Called after the store is updated: a concurrent ReportStale either detects that the stored object has changed, or its key is
        // removed here.
        _staleKeys.Remove(key);
    }

    void IReflectorSink<T>.NotServed()
    {
        _complete = false;
        _notServed = true;
        if (WhenAbsent == WhenAbsent.BlockNone)
        {
            SetSynced(_store.List().Count);
        }
        else if (WhenAbsent == WhenAbsent.BlockOwnControllers)
        {
            _usable.TrySetResult();
        }
    }

    void IReflectorSink<T>.Restarted(string reason) => _metrics.WatchRestarted(_cluster, Kind.FullName, reason);

    void IReflectorSink<T>.Undecodable(UndecodableObject problem, bool deleted)
    {
        Skip(problem);
        var key = new ResourceKey(problem.Namespace, problem.Name);
        if (deleted && _store.Get(key) is { } stored)
        {
            _store.Delete(stored);
        }

        _staleKeys.Remove(key);
    }

    private void HandlerFailed(Exception failure)
    {
        _metrics.HandlerFailed(_cluster, Kind.FullName);
        var now = _time.GetTimestamp();
        var last = Interlocked.Read(ref _handlerFailureLoggedAt);
        if (
            (last == 0 || _time.GetElapsedTime(last, now) >= HandlerLogInterval)
            && Interlocked.CompareExchange(ref _handlerFailureLoggedAt, now, last) == last
        )
        {
            Log.HandlerFailed(_logger, failure, Kind.FullName, _cluster);
        }
    }

    private void SetSynced(int count)
    {
        _usable.TrySetResult();
        if (_synced.TrySetResult())
        {
            _metrics.InformerSynced(_cluster, Kind.FullName, true);
            Log.InformerSynced(_logger, Kind.FullName, _cluster, count);
        }
    }

    private bool IsInNamespace(T obj) =>
        string.IsNullOrEmpty(_settings.Namespace) || obj.Metadata?.NamespaceProperty == _settings.Namespace;

    private T? Transform(T obj)
    {
        obj.Metadata.ManagedFields = null;
        try
        {
            return _settings.Transform is null ? obj : _settings.Transform(obj);
        }
#pragma warning disable CA1031 // The failure of a transform for one object must not affect other objects.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Skip(new UndecodableObject(obj.Metadata.NamespaceProperty ?? "", obj.Metadata.Name, $"the transform failed: {e.Message}"));
            return null;
        }
    }

    private void Skip(UndecodableObject problem)
    {
        _metrics.InformerSkipped(_cluster, Kind.FullName);
        Log.UndecodableObject(_logger, Kind.FullName, new ResourceKey(problem.Namespace, problem.Name), _cluster, problem.Error);
    }
}

/// <summary>Receives the lists and events of a <see cref="Reflector{T}"/>.</summary>
internal interface IReflectorSink<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>A complete list is about to be requested.</summary>
    void BeginList();

    /// <summary>Transforms the objects of a page of a list; those that cannot be transformed are left out.</summary>
    IEnumerable<T> Transform(IReadOnlyList<T> page);

    /// <summary>A complete list.</summary>
    /// <param name="items">The objects, transformed.</param>
    /// <param name="resourceVersion">The resourceVersion of the list.</param>
    /// <param name="undecodable">Objects that could not be decoded.</param>
    /// <param name="mayBeRestored">
    /// Whether the storage may have been restored, so that two contents of an object may have the same resourceVersion.
    /// </param>
    void Replace(IReadOnlyList<T> items, string resourceVersion, IReadOnlyList<UndecodableObject> undecodable, bool mayBeRestored);

    /// <summary>An ADDED, MODIFIED or DELETED event.</summary>
    void Changed(T obj, bool deleted);

    /// <summary>The API server does not serve the kind. Stored objects are kept until the next complete list.</summary>
    void NotServed();

    /// <summary>A watch ended early.</summary>
    /// <param name="reason"><c>dropped</c>, <c>expired</c>, <c>failed</c> or <c>relist</c>.</param>
    void Restarted(string reason);

    /// <summary>An event whose object could not be decoded.</summary>
    void Undecodable(UndecodableObject problem, bool deleted);
}
