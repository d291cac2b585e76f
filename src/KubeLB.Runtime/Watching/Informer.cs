using k8s;
using k8s.Models;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

/// <summary>What a cluster needs of an informer whatever its type.</summary>
internal interface IInformerRunner : IDisposable
{
    ResourceKind Kind { get; }

    bool HasSynced { get; }

    /// <summary>What is wrong with list or watch at present; null while all is well.</summary>
    ApiError? Trouble { get; }

    /// <summary>Who waits while the API server does not serve the kind.</summary>
    WhenAbsent WhenAbsent { get; }

    /// <summary>The keys of all stored objects.</summary>
    IReadOnlyCollection<ResourceKey> Keys();

    /// <summary>How many stored objects have such metadata.</summary>
    int CountOf(Func<V1ObjectMeta, bool> condition);

    /// <summary>Completes when the first list is in the store.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Completes when the store can be relied on: it has synced, or the kind may be absent and is.</summary>
    Task WaitUntilUsableAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends the present watch, so that the next request uses the new connection; another server may have other objects and is listed.
    /// </summary>
    void Reconnect(bool isOtherServer);

    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>Joins a store with the reflector that fills it.</summary>
internal sealed class Informer<T> : IInformer<T>, IInformerRunner, IReflectorSink<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private static readonly TimeSpan HandlerLogPause = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private long _handlerFailureLogged;
    private readonly string _cluster;
    private readonly InformerBuilder<T> _settings;
    private readonly ObjectStore<T> _store;
    private readonly Reflector<T> _reflector;
    private readonly Doubts _doubts;
    private readonly ResourceClient<T> _client;
    private readonly RuntimeMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _usable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _complete;
    private volatile bool _notServed;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Informer(
        string cluster,
        ResourceClient<T> client,
        ApiTransport transport,
        InformerBuilder<T> settings,
        ClusterErrors troubles,
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
            settings.WhenAbsent == WhenAbsent.NotAwaited,
            this,
            troubles,
            limits,
            time,
            logger
        );
        _client = client;
        _doubts = new Doubts(
            limits,
            time,
            key =>
            {
                Log.Contradicted(logger, Kind.FullName, key, cluster);
                _reflector!.Restart(list: true);
            }
        );
        metrics.InformerSynced(cluster, Kind.FullName, false);
    }

    public ResourceKind Kind { get; }

    public bool HasSynced => _synced.Task.IsCompleted;

    public bool IsAbsent => _notServed && WhenAbsent == WhenAbsent.NotAwaited;

    public bool IsComplete => _complete;

    public long Removals => _store.Removals;

    public string? LastError => _reflector.Trouble?.Sentence;

    public ApiError? Trouble => _reflector.Trouble;

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
    /// <param name="lost">Called with the key of an object whose change the handler failed on.</param>
    /// <inheritdoc cref="Subscribe(Action{Change{T}})"/>
    public IDisposable Subscribe(Action<Change<T>> handler, Action<ResourceKey> lost) => _store.Subscribe(handler, lost);

    public IReadOnlyCollection<ResourceKey> Keys() => [.. _store.List().Select(ResourceKey.Of)];

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    public int CountOf(Func<V1ObjectMeta, bool> condition) => _store.List().Count(o => condition(o.Metadata));

    public Task WaitUntilUsableAsync(CancellationToken cancellationToken) => _usable.Task.WaitAsync(cancellationToken);

    public void Observe(T written)
    {
        ArgumentNullException.ThrowIfNull(written);
        if (IsWatched(written) && Prepare(ResourceJson.Copy(written)) is { } prepared)
        {
            _store.Written(prepared);
        }
    }

    /// <summary>The API server's answer to a write shows an object, or that there is none; the write was computed from the store.</summary>
    /// <param name="key">The object.</param>
    /// <param name="seen">What the store showed when the write was computed.</param>
    /// <param name="live">What the answer shows; null for none.</param>
    public void Answered(ResourceKey key, T? seen, T? live)
    {
        if (live is not null && !IsWatched(live))
        {
            return;
        }

        var prepared = live is null ? null : Prepare(ResourceJson.Copy(live));
        if (live is null || prepared is not null)
        {
            _store.Correct(key, seen, prepared, () => _doubts.Add(key));
        }
    }

    /// <summary>
    /// The API server rejected a write that was computed from the store, because the object is not as the store shows it.
    /// </summary>
    /// <param name="key">The object.</param>
    /// <param name="seen">What the store showed when the write was computed.</param>
    public void Contradicted(ResourceKey key, T? seen) =>
        // If the store has moved on since, the watch was behind and has caught up.
        _store.IfStill(key, seen, () => _doubts.Add(key));

    /// <summary>There is a reason why the store differs from the API server in this object; no list is needed.</summary>
    public void Explained(ResourceKey key) => _doubts.Settle(key);

    /// <summary>Whether the API server has the object and the informer's selectors match it.</summary>
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

    public void Reconnect(bool isOtherServer)
    {
        // What is stored may be another cluster's.
        _complete &= !isOtherServer;
        _reflector.Restart(list: isOtherServer);
    }

    public void ObserveDeleted(T deleted)
    {
        ArgumentNullException.ThrowIfNull(deleted);
        _store.DeleteIncarnation(deleted);
    }

    public void Dispose()
    {
        _doubts.Dispose();
        _reflector.Dispose();
    }

    public Task RunAsync(CancellationToken cancellationToken) => _reflector.RunAsync(cancellationToken);

    void IReflectorSink<T>.Listing() => _store.BeginList();

    void IReflectorSink<T>.Replace(
        IReadOnlyList<T> items,
        string resourceVersion,
        IReadOnlyList<UndecodableObject> undecodable,
        bool suspect
    )
    {
        var kept = new HashSet<ResourceKey>();
        foreach (var problem in undecodable)
        {
            Skip(problem);
            kept.Add(new ResourceKey(problem.Namespace, problem.Name));
        }

        var prepared = new List<T>(items.Count);
        foreach (var item in items)
        {
            if (Prepare(item) is { } ready)
            {
                prepared.Add(ready);
            }
            else
            {
                kept.Add(ResourceKey.Of(item));
            }
        }

        _store.Replace(
            prepared,
            resourceVersion,
            kept,
            suspect,
            () =>
            {
                _notServed = false;
                _complete = true;
            }
        );
        _doubts.Listed();
        _metrics.InformerListed(_cluster, Kind.FullName);
        Synced(prepared.Count);
    }

    void IReflectorSink<T>.Changed(T obj, bool deleted)
    {
        var key = ResourceKey.Of(obj);
        if (Prepare(obj) is { } prepared)
        {
            if (deleted)
            {
                _store.Delete(prepared);
            }
            else
            {
                _store.Upsert(prepared);
            }
        }

        // Only now: a write that contradicts the store either sees that it has moved on, or is settled here.
        _doubts.Settle(key);
    }

    void IReflectorSink<T>.NotServed()
    {
        _complete = false;
        _notServed = true;
        if (WhenAbsent == WhenAbsent.NotAwaited)
        {
            Synced(_store.List().Count);
        }
        else if (WhenAbsent == WhenAbsent.ItsControllersWait)
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

        _doubts.Settle(key);
    }

    private void HandlerFailed(Exception failure)
    {
        _metrics.HandlerFailed(_cluster, Kind.FullName);
        var now = _time.GetTimestamp();
        var last = Interlocked.Read(ref _handlerFailureLogged);
        if (
            (last == 0 || _time.GetElapsedTime(last, now) >= HandlerLogPause)
            && Interlocked.CompareExchange(ref _handlerFailureLogged, now, last) == last
        )
        {
            Log.HandlerFailed(_logger, failure, Kind.FullName, _cluster);
        }
    }

    private void Synced(int count)
    {
        _usable.TrySetResult();
        if (_synced.TrySetResult())
        {
            _metrics.InformerSynced(_cluster, Kind.FullName, true);
            Log.Synced(_logger, Kind.FullName, _cluster, count);
        }
    }

    private bool IsWatched(T obj) => string.IsNullOrEmpty(_settings.Namespace) || obj.Metadata?.NamespaceProperty == _settings.Namespace;

    private T? Prepare(T obj)
    {
        obj.Metadata.ManagedFields = null;
        try
        {
            return _settings.Transform is null ? obj : _settings.Transform(obj);
        }
#pragma warning disable CA1031 // A transform that cannot cope with one object must not stop the others.
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
        Log.Undecodable(_logger, Kind.FullName, new ResourceKey(problem.Namespace, problem.Name), _cluster, problem.Error);
    }
}
