using System.Collections.Concurrent;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Watching;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// An API server connection with its typed clients and shared informers. Registered by <c>AddCluster</c>; inject it with
/// <c>[FromKeyedServices("name")] Cluster</c>.
/// </summary>
public sealed class Cluster : IAsyncDisposable
{
    private static readonly TimeSpan KubeconfigPollInterval = TimeSpan.FromSeconds(10);

    private static readonly ApiRequest VersionRequest = new(HttpMethod.Get, "version", "get", "version");

    // A server without support for partial objects returns the complete object, which has the same metadata.
    private const string PartialObject = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

    private readonly ApiTransport _transport;
    private readonly string _fieldManager;
    private readonly Supervisor _supervisor;
    private readonly ClusterBuilder _watched;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<ResourceKind, IInformerRunner> _informers = [];
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
                $"Invalid connection of cluster \"{name}\": {kubernetes?.GetType().FullName ?? "null"}; it must be a k8s.Kubernetes, "
                    + "because its HttpClient and credentials are used for all kinds.",
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
        _transport = new ApiTransport(name, connection, metrics, time, fence) { ExplainForbidden = watched.ExplainForbidden };
        var dependencies = new InformerDependencies(
            this,
            new ClusterErrors(),
            limits,
            metrics,
            time,
            loggers.CreateLogger("KubeLB.Runtime.Watching")
        );
        foreach (var registration in watched.Informers)
        {
            _informers.Add(registration.Kind, registration.Create(dependencies));
        }
    }

    /// <summary>The name of the cluster in this host, in logs, metrics and probes.</summary>
    public string Name { get; }

    /// <summary>The connection, for requests that the typed clients do not support. Metrics do not count them.</summary>
    public IKubernetes Kubernetes { get; }

    /// <summary>True if the API server responded to the latest request, even with an HTTP error; null before the first request.</summary>
    public bool? IsReachable => _transport.IsReachable;

    /// <summary>
    /// Name of the Secret whose token the API server accepted last, from the claims of the token; null if the credentials are others, or
    /// before the first request.
    /// </summary>
    public string? TokenSecretInUse => _transport.AcceptedToken is { } token ? ServiceAccountToken.SecretName(token) : null;

    /// <summary>
    /// Raised when the API server has accepted another token than before (<see cref="TokenSecretInUse"/>), by the request that had it: a
    /// handler must be fast.
    /// </summary>
    public event Action? TokenInUseChanged
    {
        add => _transport.AcceptedTokenChanged += value;
        remove => _transport.AcceptedTokenChanged -= value;
    }

    internal ApiTransport Transport => _transport;

    /// <summary>Whether errors of this kind can make the process unready.</summary>
    internal bool IsRequiredForReadiness(ResourceKind kind) => _watched.IsRequiredForReadiness(kind);

    internal IReadOnlyCollection<IInformerRunner> Informers => _informers.Values;

    /// <summary>The client for one kind. An informer for the kind is not required.</summary>
    public IResourceClient<T> Client<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => ClientOf<T>();

    /// <summary>The informer of one kind.</summary>
    /// <exception cref="InvalidOperationException">The cluster has no informer for the kind.</exception>
    public IInformer<T> Informer<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _informers.GetValueOrDefault(ResourceKind.Of<T>()) switch
        {
            IInformer<T> informer => informer,
            null => throw new InvalidOperationException(
                $"Cluster \"{Name}\" has no informer for {typeof(T).Name} ({ResourceKind.Of<T>()}); register one with "
                    + $"c.Informer<{typeof(T).Name}>() in AddCluster or ConfigureCluster."
            ),
            var other => throw new InvalidOperationException(
                $"The informer for {ResourceKind.Of<T>()} in cluster \"{Name}\" has type "
                    + $"{other.GetType().GetGenericArguments()[0].FullName}, not {typeof(T).FullName}."
            ),
        };

    /// <summary>Requests the version of the API server. Does not throw if the server is unreachable.</summary>
    /// <returns>Null on success, otherwise an error message of one sentence.</returns>
    public async Task<string?> CheckConnectionAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _transport.SendForJsonAsync(VersionRequest, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Credential plugins may throw any exception; the caller reports it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return ApiError.From(e, Name, _transport, null, "getting its version").Message;
        }
    }

    /// <summary>
    /// The metadata of an object of any kind, read from the API server without the rest of the object; null if it does not exist.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="key">Namespace and name.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="k8s.Autorest.HttpOperationException">The API server rejected the request.</exception>
    public async Task<V1ObjectMeta?> GetMetadataAsync(ResourceKind kind, ResourceKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        var request = new ApiRequest(HttpMethod.Get, ApiRequest.PathOf(kind, key), "get", kind.FullName) { Accept = PartialObject };
        try
        {
            using var response = await _transport.SendForJsonAsync(request, cancellationToken).ConfigureAwait(false);
            return response.RootElement.TryGetProperty("metadata", out var metadata)
                ? KubernetesJson.Deserialize<V1ObjectMeta>(metadata.GetRawText())
                : null;
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether discovery lists the verb <c>create</c> for a kind. False if the kind is not served, and while its CustomResourceDefinition
    /// is being deleted.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<bool> IsCreatableAsync(ResourceKind kind, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        var path = (kind.Group.Length == 0 ? "api/" : "apis/") + kind.ApiVersion;
        try
        {
            using var response = await _transport
                .SendForJsonAsync(new ApiRequest(HttpMethod.Get, path, "get", "discovery"), cancellationToken)
                .ConfigureAwait(false);
            return response.RootElement.TryGetProperty("resources", out var resources)
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

    /// <summary>Sends a GET request to a port of a pod, through the subresource <c>pods/proxy</c> of the API server.</summary>
    /// <param name="pod">Namespace and name of the pod.</param>
    /// <param name="port">The port, 1-65535.</param>
    /// <param name="pathAndQuery">Path and query, beginning with a slash.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <param name="maxBytes">The maximum size of the body.</param>
    /// <returns>The body of a successful response.</returns>
    /// <exception cref="HttpOperationException">The API server or the pod returned an error.</exception>
    /// <exception cref="HttpRequestException">No response was received, or its body is longer.</exception>
    public async Task<Stream> GetFromPodAsync(
        ResourceKey pod,
        int port,
        string pathAndQuery,
        long maxBytes,
        CancellationToken cancellationToken
    )
    {
        var path = ApiRequest.PathOf(ResourceKind.Of<V1Pod>(), pod);
        var request = new ApiRequest(HttpMethod.Get, FormattableString.Invariant($"{path}:{port}/proxy{pathAndQuery}"), "get", "pods/proxy")
        {
            Accept = "*/*",
        };
        var response = await _transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            await response.Content.LoadIntoBufferAsync(maxBytes, cancellationToken).ConfigureAwait(false);
            return await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
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

    /// <summary>The informer of a kind with its internal members; null if none is registered.</summary>
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
                .. Kubernetes is ReloadingConnection connection
                    ? [_supervisor.Run($"kubeconfig {Name}", WhenFaulted.Restart, () => ReloadAsync(connection), _stop.Token)]
                    : Array.Empty<Task>(),
            ]);
        }
    }

    // Polls, because file watchers miss updates of mounted Secrets, which swap symbolic links.
    private async Task ReloadAsync(ReloadingConnection connection)
    {
        string? problem = null;
        while (true)
        {
            await Task.Delay(KubeconfigPollInterval, _time, _stop.Token).ConfigureAwait(false);
            try
            {
                var before = connection.Server;
                if (connection.Refresh())
                {
                    Log.KubeconfigReloaded(_logger, Name, connection.Server);
                    foreach (var informer in _informers.Values)
                    {
                        informer.Reconnect(serverChanged: before != connection.Server);
                    }
                }

                problem = null;
            }
            catch (KubeconfigException e)
            {
                if (problem is null)
                {
                    Log.KubeconfigInvalid(_logger, e.Message, Name);
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
