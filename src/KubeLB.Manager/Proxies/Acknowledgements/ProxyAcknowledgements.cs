using System.Collections.Concurrent;
using System.Threading.Channels;
using k8s.Models;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Proxies.Reports;
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
/// Knows whether a tenant's proxies have acknowledged the listeners, clusters and endpoints of a Route's new backends, so that the generated
/// route refers to a backend only when every proxy serves it. Counted are the Ready pods of the tenant's proxies, wherever they are
/// connected, and clients that are connected here and name no pod. For the leader, which writes routes. Thread-safe.
/// </summary>
internal sealed class ProxyAcknowledgements : BackgroundService
{
    /// <summary>How long a route waits for proxies that do not answer.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<ResourceKey, Waiting> _waiting = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<string, bool> _changedNodes = new(StringComparer.Ordinal);
    private readonly IInformer<V1Pod> _pods;
    private readonly ProxyConfigurations _configurations;
    private readonly XdsStreams _streams;
    private readonly OtherReplicas _replicas;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Counter _timeouts;
    private CancellationToken _stopping;

    public ProxyAcknowledgements(
        [FromKeyedServices(ManagementCluster.Name)] Cluster management,
        ProxyConfigurations configurations,
        XdsStreams streams,
        OtherReplicas replicas,
        CollectorRegistry registry,
        TimeProvider time,
        ILogger<ProxyAcknowledgements> logger)
    {
        _pods = management.Informer<V1Pod>();
        _configurations = configurations;
        _streams = streams;
        _replicas = replicas;
        _time = time;
        _logger = logger;
        _timeouts = Prometheus.Metrics.WithCustomRegistry(registry).CreateCounter(
            "kubelb_manager_xds_acknowledgement_timeouts_total",
            "Routes that were generated although a proxy had not acknowledged their new backends in 15 s.");
    }

    /// <summary>A Route need not wait any more, or has another reason to; its controller looks at it.</summary>
    public event Action<ResourceKey>? Settled;

    /// <summary>Whether a Route may refer to backends now. Until it may, <see cref="Settled"/> says when to ask again.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="ports">Names of the ports of the tenant's proxies (<see cref="ProxyPort.Name"/>) that it refers to for the first time.</param>
    public BackendStanding Of(ResourceKey route, IReadOnlyCollection<string> ports)
    {
        if (ports.Count == 0)
        {
            Forget(route);
            return BackendStanding.Ready;
        }

        var what = string.Join('\n', ports.Order(StringComparer.Ordinal));
        var waiting = _waiting.AddOrUpdate(route, _ => New(), (_, known) => known.What == what ? known : New());
        var standing = Evaluate(route, waiting);
        waiting.Known = standing.Left is null ? standing : null;
        return standing;

        Waiting New() => new(what, ports, _time.GetTimestamp());
    }

    /// <summary>The Route does not wait any more.</summary>
    public void Forget(ResourceKey route) => _waiting.TryRemove(route, out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _stopping = stoppingToken;
        using var subscription = _pods.Subscribe(change => Changed(change.Key.Namespace));
        _streams.Changed += Changed;
        try
        {
            while (true)
            {
                await WaitAsync(stoppingToken).ConfigureAwait(false);
                EvaluateAll();

                // Where many wait, one look at all of them is for many answers.
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(_waiting.Count / 10, 200)), _time, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            _streams.Changed -= Changed;
        }
    }

    private void Changed(string node)
    {
        if (!_waiting.IsEmpty)
        {
            _changedNodes[node] = true;
            _wake.Writer.TryWrite(true);
        }
    }

    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        var limit = _waiting.Values.Any(w => w.WantsAnswer) ? AskAgain : Timeout.InfiniteTimeSpan;
        using var soon = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(soon.Token, stoppingToken);
        try
        {
            await _wake.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // Time to ask other replicas again.
        }
    }

    private void EvaluateAll()
    {
        List<string> changed = [.. _changedNodes.Keys];
        changed.ForEach(node => _changedNodes.TryRemove(node, out _));
        foreach (var (route, waiting) in _waiting)
        {
            if (!changed.Contains(route.Namespace) && !waiting.WantsAnswer)
            {
                continue;
            }

            try
            {
                var standing = Evaluate(route, waiting);
                if (standing.Left is null && standing != waiting.Known)
                {
                    waiting.Known = standing;
                    Settled?.Invoke(route);
                }
            }
#pragma warning disable CA1031 // Whatever it is, the other Routes do not wait for it, and this one has a deadline.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.EvaluationFailed(_logger, e);
            }
        }
    }

    private BackendStanding Evaluate(ResourceKey route, Waiting waiting)
    {
        waiting.WantsAnswer = false;
        var resources = _configurations.ResourcesOf(route.Namespace, waiting.Ports);
        if (resources.Count == 0)
        {
            return BackendStanding.Ready;
        }

        var (pending, rejection, unknown) = Judge(route.Namespace, resources, waiting);
        if (rejection is not null)
        {
            return BackendStanding.Rejected(rejection);
        }

        if (pending.Count == 0)
        {
            return BackendStanding.Ready;
        }

        var left = Longest - _time.GetElapsedTime(waiting.Since);
        if (left <= TimeSpan.Zero)
        {
            if (!waiting.IsOver)
            {
                waiting.IsOver = true;
                _timeouts.Inc();
                Log.NotAcknowledged(_logger, route, (int)Longest.TotalSeconds, string.Join(", ", pending));
            }

            return BackendStanding.Ready;
        }

        waiting.WantsAnswer = unknown;
        if (unknown)
        {
            Ask(route, waiting, resources);
        }

        return BackendStanding.Waiting(left);
    }

    // Which proxies are pending; the words of one that has rejected a resource; whether other replicas may know more.
    private (List<string> Pending, ProxyRejection? Rejection, bool Unknown) Judge(string node, IReadOnlyCollection<XdsResourceVersion> resources, Waiting waiting)
    {
        var here = _streams.StandingOf(node, resources);
        var elsewhere = waiting.Elsewhere is { } answer && answer.Resources.SequenceEqual(resources) ? answer.Clients : [];
        var pods = _pods.ByIndex(Indexes.ByNamespace, node).ToList();
        var pending = new List<string>();
        ProxyRejection? rejection = null;
        var unknown = false;
        foreach (var pod in pods.Where(IsReady))
        {
            var mine = here.Where(c => IsOf(c, pod)).ToList();
            var all = mine.Concat(elsewhere.Where(c => IsOf(c, pod))).ToList();
            if (all.Any(c => c.Standing == XdsStanding.Acknowledged))
            {
                continue;
            }

            rejection ??= all.Select(RejectionOf).FirstOrDefault(r => r is not null);
            pending.Add(pod.Name());
            unknown |= mine.Count == 0;
        }

        // A client that names a pod which is not there any more is the connection of one that has just ended.
        foreach (var client in here.Where(c => c.Pod is null && c.Standing != XdsStanding.Acknowledged && !pods.Any(pod => IsOf(c, pod))))
        {
            rejection ??= RejectionOf(client);
            pending.Add(client.Host);
        }

        return (pending, rejection, unknown);
    }

    private static ProxyRejection? RejectionOf(XdsClientStanding client) => client.Rejection is { } rejection
        ? new ProxyRejection(client.Host, XdsTypeNames.Of(rejection.TypeUrl), ReplicaReport.Clean(rejection.Message))
        : null;

    private static bool IsOf(XdsClientStanding client, V1Pod pod) => client.Pod is { } name ? name == pod.Name() : client.Host == pod.Status?.PodIP;

    private static bool IsReady(V1Pod pod) =>
        pod.Metadata.DeletionTimestamp is null && pod.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true;

    private void Ask(ResourceKey route, Waiting waiting, IReadOnlyCollection<XdsResourceVersion> resources)
    {
        if (waiting.TryBeginToAsk(_time, AskAgain))
        {
            _ = AskAsync(route, waiting, resources);
        }
    }

    private async Task AskAsync(ResourceKey route, Waiting waiting, IReadOnlyCollection<XdsResourceVersion> resources)
    {
        try
        {
            waiting.Elsewhere = new Answer(resources, await _replicas.StandingOfAsync(route.Namespace, resources, _stopping).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
        }
#pragma warning disable CA1031 // It is asked again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.EvaluationFailed(_logger, e);
        }
        finally
        {
            waiting.EndAsking();
        }

        Changed(route.Namespace);
    }

    private sealed record Answer(IReadOnlyCollection<XdsResourceVersion> Resources, IReadOnlyList<XdsClientStanding> Clients);

    private sealed class Waiting(string what, IReadOnlyCollection<string> ports, long since)
    {
        private int _asking;
        private long _askedAt;

        public string What => what;

        public IReadOnlyCollection<string> Ports => ports;

        public long Since => since;

        /// <summary>What the controller last got to know; null while it waits.</summary>
        public BackendStanding? Known { get; set; }

        /// <summary>The longest wait is over.</summary>
        public bool IsOver { get; set; }

        /// <summary>Other replicas are to be asked again.</summary>
        public volatile bool WantsAnswer;

        /// <summary>What other replicas last said, and of which versions.</summary>
        public Answer? Elsewhere { get; set; }

        public bool TryBeginToAsk(TimeProvider time, TimeSpan pause)
        {
            if ((_askedAt != 0 && time.GetElapsedTime(_askedAt) < pause) || Interlocked.Exchange(ref _asking, 1) == 1)
            {
                return false;
            }

            _askedAt = time.GetTimestamp();
            return true;
        }

        public void EndAsking() => Volatile.Write(ref _asking, 0);
    }
}
