using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using Prometheus;

namespace KubeLB.Runtime.Metrics;

/// <summary>The metrics of the runtime of a host. Their names start with <see cref="KubeRuntimeOptions.Component"/>.</summary>
internal sealed class RuntimeMetrics
{
    private readonly Counter _reconciles;
    private readonly Histogram _reconcileDuration;
    private readonly Gauge _queueDepth;
    private readonly Counter _queueAdds;
    private readonly Counter _queueRetries;
    private readonly Counter _apiRequests;
    private readonly Gauge _informerObjects;
    private readonly Gauge _informerSynced;
    private readonly Counter _informerRelists;
    private readonly Counter _informerSkipped;
    private readonly Counter _watchRestarts;
    private readonly Gauge _clusterUp;
    private readonly Gauge _leader;
    private readonly Gauge _managed;
    private readonly Counter _loopFaults;
    private readonly Counter _handlerFailures;

    public RuntimeMetrics(CollectorRegistry registry, KubeRuntimeOptions options)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        var prefix = options.Component;
        _reconciles = factory.CreateCounter(
            $"{prefix}_reconcile_total",
            "Reconciles by result: done, continue, requeue_after, retry, terminal, conflict, fenced, error, cancelled.",
            "controller",
            "result"
        );
        _reconcileDuration = factory.CreateHistogram(
            $"{prefix}_reconcile_duration_seconds",
            "Duration of a reconcile.",
            new HistogramConfiguration
            {
                LabelNames = ["controller"],
                Buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
            }
        );
        _queueDepth = factory.CreateGauge($"{prefix}_workqueue_depth", "Keys in the queue.", "controller");
        _queueAdds = factory.CreateCounter(
            $"{prefix}_workqueue_adds_total",
            "Keys added; duplicates of queued keys are not counted.",
            "controller"
        );
        _queueRetries = factory.CreateCounter($"{prefix}_workqueue_retries_total", "Keys added again with backoff.", "controller");
        _apiRequests = factory.CreateCounter(
            $"{prefix}_api_requests_total",
            "Requests to API servers; code is the HTTP status, or error without a response.",
            "cluster",
            "verb",
            "resource",
            "code"
        );
        _informerObjects = factory.CreateGauge($"{prefix}_informer_objects", "Objects in the local cache.", "cluster", "resource");
        _informerSynced = factory.CreateGauge(
            $"{prefix}_informer_synced",
            "1 after the first list is in the cache.",
            "cluster",
            "resource"
        );
        _informerRelists = factory.CreateCounter(
            $"{prefix}_informer_lists_total",
            "Complete lists, including the first one.",
            "cluster",
            "resource"
        );
        _informerSkipped = factory.CreateCounter(
            $"{prefix}_informer_undecodable_total",
            "Objects ignored because they cannot be decoded.",
            "cluster",
            "resource"
        );
        _clusterUp = factory.CreateGauge(
            $"{prefix}_cluster_up",
            "1 if the API server responded to the latest request and accepted the credentials, else 0.",
            "cluster"
        );
        _watchRestarts = factory.CreateCounter(
            $"{prefix}_watch_restarts_total",
            "Watches that ended early, by reason: dropped, expired (410, relisted), failed, or relist (a complete list was required).",
            "cluster",
            "resource",
            "reason"
        );
        _managed = factory.CreateGauge(
            $"{prefix}_managed_objects",
            "Objects in the local cache that this component wrote or that have its finalizer.",
            "cluster",
            "resource"
        );
        _loopFaults = factory.CreateCounter(
            $"{prefix}_background_loop_faults_total",
            "Background loops that failed, or ended without being stopped.",
            "loop"
        );
        _handlerFailures = factory.CreateCounter(
            $"{prefix}_informer_handler_failures_total",
            "Changes that an event handler failed on; all objects were replayed to the handler, and a controller requeued the key.",
            "cluster",
            "resource"
        );
        if (options.Build is { } build)
        {
            factory
                .CreateGauge(
                    $"{prefix}_build_info",
                    "Always 1; the labels are the version and commit of this process.",
                    "version",
                    "commit"
                )
                .WithLabels(build.Version, build.CommitOrUnknown)
                .Set(1);
        }

        _leader = factory.CreateGauge($"{prefix}_leader", "1 while this process is the leader.");
    }

    public void Reconciled(string controller, string result, TimeSpan duration)
    {
        _reconciles.WithLabels(controller, result).Inc();
        _reconcileDuration.WithLabels(controller).Observe(duration.TotalSeconds);
    }

    public void QueueDepth(string controller, int depth) => _queueDepth.WithLabels(controller).Set(depth);

    public void QueueAdded(string controller) => _queueAdds.WithLabels(controller).Inc();

    public void QueueRetried(string controller) => _queueRetries.WithLabels(controller).Inc();

    public void Requested(string cluster, string verb, string resource, string code) =>
        _apiRequests.WithLabels(cluster, verb, resource, code).Inc();

    public void ClusterUp(string cluster, bool up) => _clusterUp.WithLabels(cluster).Set(up ? 1 : 0);

    public void InformerObjects(string cluster, string resource, int count) => _informerObjects.WithLabels(cluster, resource).Set(count);

    public void InformerSynced(string cluster, string resource, bool synced) =>
        _informerSynced.WithLabels(cluster, resource).Set(synced ? 1 : 0);

    public void InformerListed(string cluster, string resource) => _informerRelists.WithLabels(cluster, resource).Inc();

    public void InformerSkipped(string cluster, string resource) => _informerSkipped.WithLabels(cluster, resource).Inc();

    public void WatchRestarted(string cluster, string resource, string reason) =>
        _watchRestarts.WithLabels(cluster, resource, reason).Inc();

    public void Managed(string cluster, string resource, int count) => _managed.WithLabels(cluster, resource).Set(count);

    // A rate needs a value before the first fault.
    public void LoopStarted(string loop) => _loopFaults.WithLabels(loop).Inc(0);

    public void LoopFaulted(string loop) => _loopFaults.WithLabels(loop).Inc();

    public void HandlerFailed(string cluster, string resource) => _handlerFailures.WithLabels(cluster, resource).Inc();

    public void Leader(bool leads) => _leader.Set(leads ? 1 : 0);
}

/// <summary>
/// Counts the cached objects that this component wrote or that have its finalizer, whenever metrics are collected.
/// </summary>
internal sealed class ManagedObjects(KubeRuntimeOptions options, RuntimeMetrics metrics)
{
    public void Attach(CollectorRegistry registry, IReadOnlyList<Cluster> clusters) =>
        registry.AddBeforeCollectCallback(() => Count(clusters));

    private void Count(IReadOnlyList<Cluster> clusters)
    {
        foreach (var cluster in clusters)
        {
            foreach (var informer in cluster.Informers)
            {
                metrics.Managed(cluster.Name, informer.Kind.FullName, informer.CountOf(IsManaged));
            }
        }
    }

    private bool IsManaged(k8s.Models.V1ObjectMeta metadata) =>
        metadata.Annotations?.ContainsKey(options.ApplierAnnotation) == true
        || (options.Finalizer.Length > 0 && metadata.Finalizers?.Contains(options.Finalizer) == true);
}
