using System.Collections.Concurrent;
using System.Net;
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
/// Knows whether a tenant's proxies have acknowledged the listeners, clusters and endpoints of a Route's new backends, so that the
/// generated route refers to a backend only when every proxy serves it. Counted are the Ready pods of the tenant's proxies, wherever they
/// are connected, and clients that are connected here and name no pod. For the leader, which writes routes. Thread-safe.
/// </summary>
internal sealed class ProxyAcknowledgements : BackgroundService
{
    private static readonly TimeSpan RequeueAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RequeueAfterRejection = TimeSpan.FromSeconds(2);

    // Of all Routes together; the others ask when these have their answers.
    private const int MostQuestions = 32;

    private readonly ConcurrentDictionary<ResourceKey, Waiting> _waiting = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
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
    private int _questions;

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
                "Routes that were generated although a proxy had not acknowledged their new backends in 15 s."
            );
    }

    /// <summary>A Route need not wait any more, or has another reason to; its controller looks at it.</summary>
    public event Action<ResourceKey>? Settled;

    /// <summary>Whether a Route may refer to backends now. Until it may, <see cref="Settled"/> says when to ask again.</summary>
    /// <param name="route">The Route.</param>
    /// <param name="ports">
    /// Names of the ports of the tenant's proxies (<see cref="ProxyPort.Name"/>) that it refers to for the first time.
    /// </param>
    public BackendAcknowledgement Of(ResourceKey route, IReadOnlyCollection<string> ports)
    {
        if (ports.Count == 0)
        {
            Forget(route);
            return BackendAcknowledgement.Ready;
        }

        var what = string.Join('\n', ports.Order(StringComparer.Ordinal));
        var waiting = _waiting.AddOrUpdate(
            route,
            _ => new Waiting(what, ports, _time.GetTimestamp()),
            (_, known) => known.What == what ? known : known.With(what, ports, _time.GetTimestamp())
        );
        var standing = Evaluate(route, waiting);
        waiting.Known = standing.Left is null ? standing : null;
        if (waiting.WantsAnswer)
        {
            _wake.Writer.TryWrite(true);
        }

        return standing;
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
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
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
        var limit = _waiting.Values.Any(w => w.WantsAnswer) ? RequeueAfter : Timeout.InfiniteTimeSpan;
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

    private BackendAcknowledgement Evaluate(ResourceKey route, Waiting waiting)
    {
        var resources = _configurations.ResourcesOf(route.Namespace, waiting.Ports);
        var (pending, rejection, unknown) = resources.Count == 0 ? ([], null, false) : Judge(route.Namespace, resources, waiting);
        var standing = Evaluate(route, waiting, pending, rejection);
        waiting.WantsAnswer = unknown && standing != BackendAcknowledgement.Ready;
        if (waiting.WantsAnswer)
        {
            Ask(route, waiting, resources, rejection is null ? RequeueAfter : RequeueAfterRejection);
        }

        return standing;
    }

    private BackendAcknowledgement Evaluate(ResourceKey route, Waiting waiting, List<string> pending, ProxyRejection? rejection)
    {
        if (rejection is not null)
        {
            waiting.IsRejected = true;
            return BackendAcknowledgement.Rejected(rejection);
        }

        if (pending.Count == 0)
        {
            return BackendAcknowledgement.Ready;
        }

        if (waiting.IsRejected)
        {
            // A proxy that rejected it has connected again, or was sent something else: it has as much time as any other.
            waiting.Restart(_time.GetTimestamp());
        }

        var left = Delays.Acknowledgement - _time.GetElapsedTime(waiting.Since);
        if (left > TimeSpan.Zero)
        {
            return BackendAcknowledgement.Waiting(left);
        }

        if (!waiting.IsOver)
        {
            waiting.IsOver = true;
            _timeouts.Inc();
            Log.NotAcknowledged(_logger, route, (int)Delays.Acknowledgement.TotalSeconds, string.Join(", ", pending));
        }

        return BackendAcknowledgement.Ready;
    }

    // Which proxies are pending; the words of one that has rejected a resource; whether other replicas may know more.
    private (List<string> Pending, ProxyRejection? Rejection, bool Unknown) Judge(
        string node,
        IReadOnlyList<XdsResourceVersion> resources,
        Waiting waiting
    )
    {
        var here = _streams.AcknowledgementOf(node, resources);
        var elsewhere = waiting
            .Answers.Where(answer => answer.Resources.SequenceEqual(resources))
            .SelectMany(answer => answer.Clients)
            .ToList();
        var pods = _pods.ByIndex(Indexes.ByNamespace, node).ToList();
        var pending = new List<string>();
        ProxyRejection? rejection = null;
        var unknown = false;
        foreach (var pod in pods.Where(IsReady))
        {
            var mine = here.Where(c => IsOf(c, pod)).ToList();
            var all = mine.Concat(elsewhere.Where(c => IsOf(c, pod))).ToList();
            if (all.Any(c => c.State == XdsAcknowledgementState.Acknowledged))
            {
                continue;
            }

            rejection ??= all.Select(RejectionOf).FirstOrDefault(r => r is not null);
            pending.Add(pod.Name());
            unknown |= mine.Count == 0;
        }

        // A client that names a pod which is not there any more is the connection of one that has just ended. In plain text anybody may
        // connect.
        foreach (
            var client in here.Where(c =>
                !_insecure && c.Pod is null && c.State != XdsAcknowledgementState.Acknowledged && !pods.Any(pod => IsOf(c, pod))
            )
        )
        {
            rejection ??= RejectionOf(client);
            pending.Add(client.Host);
        }

        return (pending, rejection, unknown);
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

    private void Ask(ResourceKey route, Waiting waiting, IReadOnlyList<XdsResourceVersion> resources, TimeSpan pause)
    {
        if (Volatile.Read(ref _questions) < MostQuestions && waiting.TryBeginToAsk(_time, pause))
        {
            Interlocked.Increment(ref _questions);
            _ = AskAsync(route, waiting, resources);
        }
    }

    private async Task AskAsync(ResourceKey route, Waiting waiting, IReadOnlyList<XdsResourceVersion> resources)
    {
        try
        {
            await _replicas
                .AskAsync(
                    route.Namespace,
                    resources,
                    (replica, clients) =>
                    {
                        waiting.Take(replica, new Answer(resources, clients));
                        Changed(route.Namespace);
                    },
                    _stopping
                )
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) { }
#pragma warning disable CA1031 // It is asked again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.EvaluationFailed(_logger, e);
        }
        finally
        {
            waiting.EndAsking();
            Interlocked.Decrement(ref _questions);
        }

        Changed(route.Namespace);
    }

    private sealed record Answer(IReadOnlyList<XdsResourceVersion> Resources, IReadOnlyList<XdsClientAcknowledgement> Clients);

    private sealed class Waiting(string what, IReadOnlyCollection<string> ports, long since)
    {
        private readonly ConcurrentDictionary<IPEndPoint, Answer> _answers = new();
        private int _asking;
        private long _askedAt;

        public string What => what;

        public IReadOnlyCollection<string> Ports => ports;

        /// <summary>When the wait began.</summary>
        public long Since { get; private set; } = since;

        /// <summary>A proxy has rejected a resource.</summary>
        public bool IsRejected { get; set; }

        /// <summary>What the controller last got to know; null while it waits.</summary>
        public BackendAcknowledgement? Known { get; set; }

        /// <summary>The longest wait is over.</summary>
        public bool IsOver { get; set; }

        /// <summary>What each of the other replicas last said, and of which versions.</summary>
        public ICollection<Answer> Answers => _answers.Values;

        /// <summary>Other replicas are to be asked again.</summary>
        public volatile bool WantsAnswer;

        public void Take(IPEndPoint replica, Answer answer) => _answers[replica] = answer;

        /// <summary>The wait for other ports: a Route that changes all the time does not wait longer than others.</summary>
        public Waiting With(string otherWhat, IReadOnlyCollection<string> otherPorts, long now) =>
            new(otherWhat, otherPorts, IsRejected || IsOver ? now : Since);

        public void Restart(long now) => (Since, IsRejected, IsOver) = (now, false, false);

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
