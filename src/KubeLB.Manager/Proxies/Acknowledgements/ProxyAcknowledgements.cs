using System.Collections.Concurrent;
using System.Threading.Channels;
using k8s.Models;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Xds.Discovery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KubeLB.Manager.Proxies.Acknowledgements;

/// <summary>
/// Tracks whether a tenant's proxies have acknowledged the listeners, clusters and endpoints of a Route's new backends, so that the
/// generated route refers to a backend only when every proxy serves it. Proxies are the Ready pods of the tenant, whichever replica they
/// are connected to, and clients of this replica without a pod name. Used by the leader, which writes routes. Thread-safe.
/// </summary>
internal sealed class ProxyAcknowledgements : BackgroundService
{
    private static readonly TimeSpan RequestInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RequestIntervalAfterRejection = TimeSpan.FromSeconds(2);

    // Limit for all Routes together; further requests are sent when these have completed.
    private const int MaxRequests = 32;

    private readonly ConcurrentDictionary<ResourceKey, PendingBackends> _pending = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly ConcurrentDictionary<string, bool> _changedNodes = new(StringComparer.Ordinal);
    private readonly IInformer<V1Pod> _pods;
    private readonly ProxyConfigurations _configurations;
    private readonly XdsStreams _streams;
    private readonly OtherReplicas _replicas;
    private readonly bool _insecure;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Counter _timeouts;
    private CancellationToken _stopping;
    private int _requests;

    public ProxyAcknowledgements(
        [FromKeyedServices(ManagementCluster.Name)] Cluster management,
        ProxyConfigurations configurations,
        XdsStreams streams,
        OtherReplicas replicas,
        ManagerOptions options,
        CollectorRegistry registry,
        TimeProvider time,
        ILogger<ProxyAcknowledgements> logger
    )
    {
        _pods = management.Informer<V1Pod>();
        _configurations = configurations;
        _streams = streams;
        _replicas = replicas;
        _insecure = options.XdsInsecure;
        _time = time;
        _logger = logger;
        _timeouts = Prometheus
            .Metrics.WithCustomRegistry(registry)
            .CreateCounter(
                "kubelb_manager_xds_acknowledgement_timeouts_total",
                "Routes that were written although a proxy had not acknowledged their new backends within 15 s."
            );
    }

    /// <summary>Raised when the result for a waiting Route changes.</summary>
    public event Action<ResourceKey>? Changed;

    /// <summary>Whether the proxies have acknowledged new backends; <see cref="Changed"/> is raised when the result changes.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="ports">Names of the proxies' ports (<see cref="ProxyPort.Name"/>) to which the Route refers for the first time.</param>
    public BackendAcknowledgement AcknowledgementOf(ResourceKey route, IReadOnlyCollection<string> ports)
    {
        if (ports.Count == 0)
        {
            Forget(route);
            return BackendAcknowledgement.Ready;
        }

        var portKey = string.Join('\n', ports.Order(StringComparer.Ordinal));
        var pending = _pending.AddOrUpdate(
            route,
            _ => new PendingBackends(portKey, ports, _time.GetTimestamp()),
            (_, known) => known.PortKey == portKey ? known : known.With(portKey, ports, _time.GetTimestamp())
        );
        var result = Evaluate(route, pending);
        pending.Reported = result.Left is null ? result : null;
        if (pending.NeedsRequest)
        {
            _signal.Writer.TryWrite(true);
        }

        return result;
    }

    /// <summary>Ends the wait of a Route.</summary>
    public void Forget(ResourceKey route) => _pending.TryRemove(route, out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _stopping = stoppingToken;
        using var subscription = _pods.Subscribe(change => MarkChanged(change.Key.Namespace));
        _streams.Changed += MarkChanged;
        try
        {
            while (true)
            {
                await WaitAsync(stoppingToken).ConfigureAwait(false);
                EvaluateAll();

                // With many waiting Routes, one evaluation handles many acknowledgements.
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(_pending.Count / 10, 200)), _time, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
        finally
        {
            _streams.Changed -= MarkChanged;
        }
    }

    private void MarkChanged(string node)
    {
        if (!_pending.IsEmpty)
        {
            _changedNodes[node] = true;
            _signal.Writer.TryWrite(true);
        }
    }

    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        var timeout = _pending.Values.Any(p => p.NeedsRequest) ? RequestInterval : Timeout.InfiniteTimeSpan;
        using var timer = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stoppingToken);
        try
        {
            await _signal.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // Timeout: other replicas are queried again.
        }
    }

    private void EvaluateAll()
    {
        List<string> changed = [.. _changedNodes.Keys];
        changed.ForEach(node => _changedNodes.TryRemove(node, out _));
        foreach (var (route, pending) in _pending)
        {
            if (!changed.Contains(route.Namespace) && !pending.NeedsRequest)
            {
                continue;
            }

            try
            {
                var result = Evaluate(route, pending);
                if (result.Left is null && result != pending.Reported)
                {
                    pending.Reported = result;
                    Changed?.Invoke(route);
                }
            }
#pragma warning disable CA1031 // A failure must not affect other Routes; this Route has a timeout.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.AcknowledgementsFailed(_logger, e);
            }
        }
    }

    private BackendAcknowledgement Evaluate(ResourceKey route, PendingBackends backends)
    {
        var resources = _configurations.ResourcesOf(route.Namespace, backends.Ports);
        var (proxies, rejection, isUnknown) =
            resources.Count == 0 ? ([], null, false) : EvaluateProxies(route.Namespace, resources, backends);
        var result = Evaluate(route, backends, proxies, rejection);
        backends.NeedsRequest = isUnknown && result != BackendAcknowledgement.Ready;
        if (backends.NeedsRequest)
        {
            TryRequest(route, backends, resources, rejection is null ? RequestInterval : RequestIntervalAfterRejection);
        }

        return result;
    }

    private BackendAcknowledgement Evaluate(
        ResourceKey route,
        PendingBackends backends,
        List<string> pendingProxies,
        ProxyRejection? rejection
    )
    {
        if (rejection is not null)
        {
            backends.IsRejected = true;
            return BackendAcknowledgement.Rejected(rejection);
        }

        if (pendingProxies.Count == 0)
        {
            return BackendAcknowledgement.Ready;
        }

        if (backends.IsRejected)
        {
            // The proxy that rejected the resources has reconnected or received other ones: it gets the full timeout.
            backends.Restart(_time.GetTimestamp());
        }

        var left = Delays.Acknowledgement - _time.GetElapsedTime(backends.Since);
        if (left > TimeSpan.Zero)
        {
            return BackendAcknowledgement.Waiting(left);
        }

        if (!backends.IsTimedOut)
        {
            backends.IsTimedOut = true;
            _timeouts.Inc();
            Log.BackendsNotAcknowledged(_logger, route, (int)Delays.Acknowledgement.TotalSeconds, string.Join(", ", pendingProxies));
        }

        return BackendAcknowledgement.Ready;
    }

    // The proxies that have not acknowledged; a rejection, if any; whether other replicas must be queried.
    private (List<string> Pending, ProxyRejection? Rejection, bool IsUnknown) EvaluateProxies(
        string node,
        IReadOnlyList<XdsResourceVersion> resources,
        PendingBackends backends
    )
    {
        var local = _streams.AcknowledgementOf(node, resources);
        var remote = backends
            .Responses.Where(response => response.Resources.SequenceEqual(resources))
            .SelectMany(response => response.Clients)
            .ToList();
        var pods = _pods.ByIndex(Indexes.ByNamespace, node).ToList();
        var pending = new List<string>();
        ProxyRejection? rejection = null;
        var isUnknown = false;
        foreach (var pod in pods.Where(IsReady))
        {
            var localClients = local.Where(c => IsOf(c, pod)).ToList();
            var all = localClients.Concat(remote.Where(c => IsOf(c, pod))).ToList();
            if (all.Any(c => c.State == XdsAcknowledgementState.Acknowledged))
            {
                continue;
            }

            rejection ??= all.Select(RejectionOf).FirstOrDefault(r => r is not null);
            pending.Add(pod.Name());
            isUnknown |= localClients.Count == 0;
        }

        // Clients that match no pod. One that names a deleted pod is ignored, since its connection is about to close. Without TLS, all of
        // them are ignored, since they are not authenticated.
        foreach (
            var client in local.Where(c =>
                !_insecure && c.Pod is null && c.State != XdsAcknowledgementState.Acknowledged && !pods.Any(pod => IsOf(c, pod))
            )
        )
        {
            rejection ??= RejectionOf(client);
            pending.Add(client.Host);
        }

        return (pending, rejection, isUnknown);
    }

    private static ProxyRejection? RejectionOf(XdsClientAcknowledgement client) =>
        client.Rejection is { } rejection
            ? new ProxyRejection(client.Host, XdsTypeNames.Of(rejection.TypeUrl), EnvoyText.OneLine(rejection.Message))
            : null;

    private static bool IsOf(XdsClientAcknowledgement client, V1Pod pod) =>
        client.Pod is { } name
            ? name == pod.Name()
            : client.Host == pod.Status?.PodIP || pod.Status?.PodIPs?.Any(ip => ip.Ip == client.Host) == true;

    private static bool IsReady(V1Pod pod) =>
        pod.Metadata.DeletionTimestamp is null && pod.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true;

    private void TryRequest(ResourceKey route, PendingBackends backends, IReadOnlyList<XdsResourceVersion> resources, TimeSpan interval)
    {
        if (Volatile.Read(ref _requests) < MaxRequests && backends.TryBeginRequest(_time, interval))
        {
            Interlocked.Increment(ref _requests);
            _ = RequestAsync(route, backends, resources);
        }
    }

    private async Task RequestAsync(ResourceKey route, PendingBackends backends, IReadOnlyList<XdsResourceVersion> resources)
    {
        try
        {
            await _replicas
                .RequestAsync(
                    route.Namespace,
                    resources,
                    (replica, clients) =>
                    {
                        backends.SetResponse(replica, new ReplicaResponse(resources, clients));
                        MarkChanged(route.Namespace);
                    },
                    _stopping
                )
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) { }
#pragma warning disable CA1031 // The request is retried.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.AcknowledgementsFailed(_logger, e);
        }
        finally
        {
            backends.EndRequest();
            Interlocked.Decrement(ref _requests);
        }

        MarkChanged(route.Namespace);
    }
}
