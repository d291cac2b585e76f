using System.Collections.Concurrent;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Watching;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// One API server connection with its typed clients and its shared informers. Registered by <c>AddCluster</c>; get it with
/// <c>[FromKeyedServices("name")] Cluster</c>.
/// </summary>
public sealed class Cluster : IAsyncDisposable
{
    private static readonly TimeSpan KubeconfigPoll = TimeSpan.FromSeconds(10);

    private static readonly ApiRequest VersionRequest = new(HttpMethod.Get, "version", "get", "version");

    // Whoever does not know the form answers with the whole object, which has the same metadata.
    private const string PartialObject = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

    private readonly ApiTransport _transport;
    private readonly string _fieldManager;
    private readonly Supervisor _supervisor;
    private readonly ClusterBuilder _watched;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<ResourceKind, IInformerRunner> _informers = [];
    private readonly Dictionary<Type, InformerRegistration> _registrations = [];
    private readonly ConcurrentDictionary<Type, object> _clients = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task? _running;

    internal Cluster(
        string name,
        IKubernetes kubernetes,
        ClusterBuilder watched,
        string fieldManager,
        ReflectorSettings limits,
        RuntimeMetrics metrics,
        TimeProvider time,
        WriteFence fence,
        Supervisor supervisor,
        ILoggerFactory loggers
    )
    {
        if (kubernetes is not Kubernetes connection)
        {
            throw new ArgumentException(
                $"The connection of cluster \"{name}\" is a {kubernetes?.GetType().FullName ?? "null"}; it must be a k8s.Kubernetes, whose HttpClient and credentials are used for all kinds.",
                nameof(kubernetes)
            );
        }

        Name = name;
        _watched = watched;
        _time = time;
        _logger = loggers.CreateLogger("KubeLB.Runtime.Clusters");
        Kubernetes = kubernetes;
        metrics.ClusterUp(name, false);
        _fieldManager = fieldManager;
        _supervisor = supervisor;
        _transport = new ApiTransport(name, connection, metrics, time, fence);
        var parts = new InformerParts(this, new ClusterErrors(), limits, metrics, time, loggers.CreateLogger("KubeLB.Runtime.Watching"));
        foreach (var registration in watched.Informers)
        {
            _registrations.Add(registration.Type, registration);
            _informers.Add(registration.Kind, registration.Create(parts));
        }
    }

    /// <summary>The name under which the cluster was registered; appears in logs, metrics and probes.</summary>
    public string Name { get; }

    /// <summary>The connection, for requests that the typed clients do not cover. These are not counted in the metrics.</summary>
    public IKubernetes Kubernetes { get; }

    /// <summary>True if the API server gave any answer to the latest request (an HTTP error is an answer); null before the first.</summary>
    public bool? IsReachable => _transport.IsReachable;

    internal ApiTransport Transport => _transport;

    /// <summary>Whether the process is of no use without a kind of this cluster.</summary>
    internal bool IsNeededForReadiness(ResourceKind kind) => _watched.IsNeededForReadiness(kind);

    internal IReadOnlyCollection<IInformerRunner> Informers => _informers.Values;

    /// <summary>The client for one kind. The kind need not be watched.</summary>
    public IResourceClient<T> Client<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => ClientOf<T>();

    /// <summary>The informer of one kind.</summary>
    /// <exception cref="InvalidOperationException">The kind is not watched in this cluster.</exception>
    public IInformer<T> Informer<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _informers.GetValueOrDefault(ResourceKind.Of<T>()) switch
        {
            IInformer<T> informer => informer,
            null => throw new InvalidOperationException(
                $"{typeof(T).Name} ({ResourceKind.Of<T>()}) is not watched in cluster \"{Name}\"; register it with "
                    + $"c.Informer<{typeof(T).Name}>() in AddCluster or ConfigureCluster."
            ),
            var other => throw new InvalidOperationException(
                $"{ResourceKind.Of<T>()} is watched in cluster \"{Name}\" as {other.GetType().GetGenericArguments()[0].FullName}, "
                    + $"not as {typeof(T).FullName}."
            ),
        };

    /// <summary>Asks the API server for its version. Never throws for an unreachable server.</summary>
    /// <returns>Null if it answered, otherwise one sentence saying what is wrong.</returns>
    public async Task<string?> CheckConnectionAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _transport.SendForJsonAsync(VersionRequest, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Credential plugins may throw anything; the caller wants to know that it does not work, and why.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return ApiError.Of(e, Name, _transport.BaseAddress, null, "asking for its version").Sentence;
        }
    }

    /// <summary>
    /// The metadata of an object of any kind, read from the API server without the rest of the object; null if there is no such object.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="key">Namespace and name.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <exception cref="k8s.Autorest.HttpOperationException">The API server rejected the request.</exception>
    public async Task<V1ObjectMeta?> GetMetadataAsync(ResourceKind kind, ResourceKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        var request = new ApiRequest(HttpMethod.Get, ApiRequest.PathOf(kind, key), "get", kind.FullName) { Accept = PartialObject };
        try
        {
            using var answer = await _transport.SendForJsonAsync(request, cancellationToken).ConfigureAwait(false);
            return answer.RootElement.TryGetProperty("metadata", out var metadata)
                ? KubernetesJson.Deserialize<V1ObjectMeta>(metadata.GetRawText())
                : null;
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether discovery offers to create objects of a kind: not if it is not served, and not while its CustomResourceDefinition is being
    /// deleted (the API server takes <c>create</c> from the verbs then).
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    public async Task<bool> IsCreatableAsync(ResourceKind kind, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        var path = (kind.Group.Length == 0 ? "api/" : "apis/") + kind.ApiVersion;
        try
        {
            using var answer = await _transport
                .SendForJsonAsync(new ApiRequest(HttpMethod.Get, path, "get", "discovery"), cancellationToken)
                .ConfigureAwait(false);
            return answer.RootElement.TryGetProperty("resources", out var resources)
                && resources
                    .EnumerateArray()
                    .Any(r =>
                        r.GetProperty("name").GetString() == kind.Plural
                        && r.GetProperty("verbs").EnumerateArray().Any(verb => verb.GetString() == "create")
                    );
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Stops the informers and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        foreach (var informer in _informers.Values)
        {
            informer.Dispose();
        }

        Kubernetes.Dispose();
        _stop.Dispose();
    }

    internal ResourceClient<T> ClientOf<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        (ResourceClient<T>)_clients.GetOrAdd(typeof(T), _ => new ResourceClient<T>(_transport, _fieldManager));

    internal bool Watches<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => _informers.ContainsKey(ResourceKind.Of<T>());

    /// <summary>The informer of a kind, for what only the runtime itself asks of it; null if the kind is not watched.</summary>
    internal Informer<T>? FindInformer<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => _informers.GetValueOrDefault(ResourceKind.Of<T>()) as Informer<T>;

    internal IInformerRunner? FindInformer(ResourceKind kind) => _informers.GetValueOrDefault(kind);

    internal void Start()
    {
        lock (_gate)
        {
            _running ??= Task.WhenAll([
                .. _informers.Values.Select(informer =>
                    _supervisor.Run(
                        $"informer {Name}/{informer.Kind.FullName}",
                        WhenFaulted.Restart,
                        () => informer.RunAsync(_stop.Token),
                        _stop.Token
                    )
                ),
                .. Kubernetes is FollowingConnection connection
                    ? [_supervisor.Run($"kubeconfig {Name}", WhenFaulted.Restart, () => FollowAsync(connection), _stop.Token)]
                    : Array.Empty<Task>(),
            ]);
        }
    }

    // By polling: a Secret that is mounted is replaced by swapping symbolic links, which file watchers miss.
    private async Task FollowAsync(FollowingConnection connection)
    {
        string? problem = null;
        while (true)
        {
            await Task.Delay(KubeconfigPoll, _time, _stop.Token).ConfigureAwait(false);
            try
            {
                var before = connection.Server;
                if (connection.Refresh())
                {
                    Connections.Log.Switched(_logger, Name, connection.Server);
                    foreach (var informer in _informers.Values)
                    {
                        informer.Reconnect(isOtherServer: before != connection.Server);
                    }
                }

                problem = null;
            }
            catch (KubeconfigException e)
            {
                if (problem is null)
                {
                    Connections.Log.Unusable(_logger, e.Message, Name);
                }

                problem = e.Message;
            }
        }
    }

    internal async Task StopAsync()
    {
        Task? running;
        lock (_gate)
        {
            running = _running;
            _running = Task.CompletedTask;
        }

        if (running is not null && !_stop.IsCancellationRequested)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
        }
    }
}
