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
internal interface IInformerRunner
{
    ResourceKind Kind { get; }

    bool HasSynced { get; }

    /// <summary>What is wrong with list or watch at present; null while all is well.</summary>
    ApiTrouble? Trouble { get; }

    /// <summary>Who waits while the API server does not serve the kind.</summary>
    WhenAbsent WhenAbsent { get; }

    /// <summary>How many stored objects have such metadata.</summary>
    int CountOf(Func<V1ObjectMeta, bool> condition);

    /// <summary>Completes when the first list is in the store.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Completes when the store can be relied on: it has synced, or the kind may be absent and is.</summary>
    Task WaitUntilUsableAsync(CancellationToken cancellationToken);

    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>Joins a store with the reflector that fills it.</summary>
internal sealed class Informer<T> : IInformer<T>, IInformerRunner, IReflectorSink<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly string _cluster;
    private readonly InformerBuilder<T> _settings;
    private readonly ObjectStore<T> _store;
    private readonly Reflector<T> _reflector;
    private readonly RuntimeMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _usable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _absent;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Informer(
        string cluster,
        ResourceClient<T> client,
        ApiTransport transport,
        InformerBuilder<T> settings,
        ClusterTroubles troubles,
        ReflectorSettings limits,
        RuntimeMetrics metrics,
        TimeProvider time,
        ILogger logger)
    {
        _cluster = cluster;
        _settings = settings;
        _metrics = metrics;
        _logger = logger;
        Kind = client.Kind;
        _store = new ObjectStore<T>(
            settings.Indexes,
            (index, key, e) => Log.IndexFailed(logger, e, index, Kind.FullName, key),
            e => Log.HandlerFailed(logger, e, Kind.FullName),
            count => metrics.InformerObjects(cluster, Kind.FullName, count));
        var scope = new ListQuery { Namespace = settings.Namespace, LabelSelector = settings.LabelSelector, FieldSelector = settings.FieldSelector };
        _reflector = new Reflector<T>(cluster, client, transport, scope, settings.WhenAbsent == WhenAbsent.NobodyWaits, this, troubles, limits, time, logger);
        metrics.InformerSynced(cluster, Kind.FullName, false);
    }

    public ResourceKind Kind { get; }

    public bool HasSynced => _synced.Task.IsCompleted;

    public bool IsAbsent => _absent;

    public string? LastError => _reflector.Trouble?.Sentence;

    public ApiTrouble? Trouble => _reflector.Trouble;

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

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    public int CountOf(Func<V1ObjectMeta, bool> condition) => _store.List().Count(o => condition(o.Metadata));

    public Task WaitUntilUsableAsync(CancellationToken cancellationToken) => _usable.Task.WaitAsync(cancellationToken);

    public void Observe(T written)
    {
        ArgumentNullException.ThrowIfNull(written);
        if (IsWatched(written) && Prepare(ResourceJson.Copy(written)) is { } prepared)
        {
            _store.Upsert(prepared);
        }
    }

    public void ObserveDeleted(T deleted)
    {
        ArgumentNullException.ThrowIfNull(deleted);
        _store.DeleteIncarnation(deleted);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _reflector.RunAsync(cancellationToken).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // The last net: an informer that ends silently would leave its controllers blind.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.InformerCrashed(_logger, e, Kind.FullName, _cluster);
            }
        }
    }

    void IReflectorSink<T>.Replace(IReadOnlyList<T> items, string resourceVersion, IReadOnlyList<UndecodableObject> undecodable)
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

        _absent = false;
        _store.Replace(prepared, resourceVersion, kept);
        _metrics.InformerListed(_cluster, Kind.FullName);
        Synced(prepared.Count);
    }

    void IReflectorSink<T>.Absent()
    {
        _absent = true;
        _store.Clear();
        Synced(0);
    }

    void IReflectorSink<T>.Changed(T obj, bool deleted)
    {
        if (Prepare(obj) is not { } prepared)
        {
            return;
        }

        if (deleted)
        {
            _store.Delete(prepared);
        }
        else
        {
            _store.Upsert(prepared);
        }
    }

    void IReflectorSink<T>.NotServed()
    {
        if (WhenAbsent != WhenAbsent.AllWait)
        {
            _usable.TrySetResult();
        }
    }

    void IReflectorSink<T>.Restarted(string reason) => _metrics.WatchRestarted(_cluster, Kind.FullName, reason);

    void IReflectorSink<T>.Undecodable(UndecodableObject problem, bool deleted)
    {
        Skip(problem);
        if (deleted && _store.Get(new ResourceKey(problem.Namespace, problem.Name)) is { } stored)
        {
            _store.Delete(stored);
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

    private bool IsWatched(T obj) =>
        string.IsNullOrEmpty(_settings.Namespace) || obj.Metadata?.NamespaceProperty == _settings.Namespace;

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
