using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime;

/// <summary>All log messages of the runtime.</summary>
internal static partial class Log
{
    // Hosting

    [LoggerMessage(1100, LogLevel.Information, "Starting {Build}.")]
    public static partial void Starting(ILogger logger, BuildVersion build);

    [LoggerMessage(1101, LogLevel.Information, "Probes on {Probe}, metrics on {Metrics}.")]
    public static partial void Listening(ILogger logger, string probe, string metrics);

    [LoggerMessage(1102, LogLevel.Information, "Stopping: waiting for running reconciles to finish.")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(1103, LogLevel.Critical, "Background loop \"{Loop}\" failed; restarting in {Seconds} s.")]
    public static partial void LoopRestarts(ILogger logger, Exception exception, string loop, int seconds);

    [LoggerMessage(1104, LogLevel.Critical, "Background loop \"{Loop}\" failed; the process stops with exit code 1.")]
    public static partial void LoopStopsProcess(ILogger logger, Exception exception, string loop);

    [LoggerMessage(1105, LogLevel.Warning, "{Problem} The last certificate is used.")]
    public static partial void MetricsCertificateInvalid(ILogger logger, string problem);

    [LoggerMessage(
        1106,
        LogLevel.Warning,
        "Requests for /metrics are denied, because cluster \"{Cluster}\" did not review a token: {Problem}. Check the connection, and the "
            + "permission to create tokenreviews and subjectaccessreviews."
    )]
    public static partial void MetricsReviewFailed(ILogger logger, string cluster, string problem);

    // Connections

    [LoggerMessage(1200, LogLevel.Information, "The kubeconfig of cluster \"{Cluster}\" changed; requests now go to {Server}.")]
    public static partial void KubeconfigReloaded(ILogger logger, string cluster, Uri server);

    [LoggerMessage(1201, LogLevel.Warning, "{Problem} Cluster \"{Cluster}\" keeps its current connection; correct the file.")]
    public static partial void KubeconfigInvalid(ILogger logger, string problem, string cluster);

    // List and watch

    [LoggerMessage(1300, LogLevel.Warning, "{Problem} Retrying. (cluster {Cluster}, resource {Resource})")]
    public static partial void WatchFailing(ILogger logger, string problem, string cluster, string resource);

    [LoggerMessage(1301, LogLevel.Information, "The watch of {Resource} in cluster \"{Cluster}\" recovered.")]
    public static partial void WatchRecovered(ILogger logger, string resource, string cluster);

    [LoggerMessage(1302, LogLevel.Information, "The connection to cluster \"{Cluster}\" recovered.")]
    public static partial void ClusterRecovered(ILogger logger, string cluster);

    [LoggerMessage(1303, LogLevel.Information, "The informer for {Resource} in cluster \"{Cluster}\" synced {Count} objects.")]
    public static partial void InformerSynced(ILogger logger, string resource, string cluster, int count);

    [LoggerMessage(
        1304,
        LogLevel.Debug,
        "The watch of {Resource} in cluster \"{Cluster}\" was interrupted and resumes from resourceVersion {ResourceVersion}: {Problem}"
    )]
    public static partial void WatchDropped(ILogger logger, string resource, string cluster, string resourceVersion, string problem);

    [LoggerMessage(
        1305,
        LogLevel.Debug,
        "The resourceVersion {ResourceVersion} of {Resource} in cluster \"{Cluster}\" expired (410); relisting."
    )]
    public static partial void WatchExpired(ILogger logger, string resource, string cluster, string resourceVersion);

    [LoggerMessage(1306, LogLevel.Warning, "Invalid {Resource} {Object} in cluster \"{Cluster}\" ignored: {Problem}")]
    public static partial void UndecodableObject(ILogger logger, string resource, ResourceKey @object, string cluster, string problem);

    [LoggerMessage(1307, LogLevel.Error, "Index \"{Index}\" of {Resource} failed for {Object}; lookups by this index omit the object.")]
    public static partial void IndexFailed(ILogger logger, Exception exception, string index, string resource, ResourceKey @object);

    [LoggerMessage(
        1308,
        LogLevel.Error,
        "An event handler for {Resource} in cluster \"{Cluster}\" failed; all objects are replayed to the handler, "
            + "and a controller requeues the key."
    )]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string resource, string cluster);

    [LoggerMessage(
        1309,
        LogLevel.Information,
        "Cluster \"{Cluster}\" does not serve {Resource}; features that need it are disabled until its "
            + "CustomResourceDefinition is installed."
    )]
    public static partial void KindNotServed(ILogger logger, string resource, string cluster);

    [LoggerMessage(1310, LogLevel.Information, "Cluster \"{Cluster}\" now serves {Resource}.")]
    public static partial void KindServed(ILogger logger, string resource, string cluster);

    [LoggerMessage(
        1311,
        LogLevel.Warning,
        "The resourceVersion of {Resource} in cluster \"{Cluster}\" decreased from {Seen} to {Present}: its storage was restored. "
            + "Replacing the cache with a new list."
    )]
    public static partial void StorageRestored(ILogger logger, string resource, string cluster, string seen, string present);

    [LoggerMessage(
        1312,
        LogLevel.Information,
        "The cached {Resource} {Object} in cluster \"{Cluster}\" is stale: a write returned another state and no watch event followed. "
            + "Relisting."
    )]
    public static partial void StaleObject(ILogger logger, string resource, ResourceKey @object, string cluster);

    // Controllers

    [LoggerMessage(1400, LogLevel.Information, "Starting controller {Controller} with {Workers} workers; queue depth {Depth}.")]
    public static partial void ControllerStarted(ILogger logger, string controller, int workers, int depth);

    [LoggerMessage(1401, LogLevel.Information, "Controller {Controller} stopped.")]
    public static partial void ControllerStopped(ILogger logger, string controller);

    [LoggerMessage(
        1402,
        LogLevel.Warning,
        "Controller {Controller} did not drain before the stop timeout; running reconciles were cancelled."
    )]
    public static partial void ReconcilesCancelled(ILogger logger, string controller);

    [LoggerMessage(
        1403,
        LogLevel.Warning,
        "Controller {Controller} did not stop after its cancellation; the process stops without waiting for it."
    )]
    public static partial void CancellationIgnored(ILogger logger, string controller);

    [LoggerMessage(1404, LogLevel.Debug, "Reconciled {Key} in {Elapsed} ms.")]
    public static partial void Reconciled(ILogger logger, ResourceKey key, long elapsed);

    [LoggerMessage(1405, LogLevel.Information, "Requeued {Key}: {Reason}")]
    public static partial void Requeued(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(1406, LogLevel.Warning, "{Key} is not retried until a watched object changes: {Reason}")]
    public static partial void TerminalError(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(1407, LogLevel.Debug, "Requeued {Key} because the cache was stale: {Reason}")]
    public static partial void CacheStale(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(1408, LogLevel.Warning, "Reconciling {Key} failed; retrying with backoff: {Reason}")]
    public static partial void RequestFailed(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(1409, LogLevel.Error, "Reconciling {Key} failed; retrying with backoff.")]
    public static partial void ReconcileFailed(ILogger logger, Exception exception, ResourceKey key);

    [LoggerMessage(1410, LogLevel.Debug, "Reconciling {Key} failed again with the same error: {Reason}")]
    public static partial void ReconcileFailedAgain(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(1411, LogLevel.Information, "Requeued {Key}, because this process may no longer be the leader: {Reason}")]
    public static partial void Fenced(ILogger logger, ResourceKey key, string reason);

    // Leader election

    [LoggerMessage(1500, LogLevel.Information, "{Identity} acquired the lease {Lease} in cluster \"{Cluster}\" and is the leader.")]
    public static partial void LeaseAcquired(ILogger logger, string lease, string cluster, string identity);

    [LoggerMessage(
        1501,
        LogLevel.Warning,
        "{Identity} lost the lease {Lease} in cluster \"{Cluster}\"; writes are suspended until it is acquired again, serving continues."
    )]
    public static partial void LeaseLost(ILogger logger, string lease, string cluster, string identity);

    [LoggerMessage(1502, LogLevel.Information, "The lease {Lease} in cluster \"{Cluster}\" is held by {Holder}.")]
    public static partial void LeaseHeld(ILogger logger, string lease, string cluster, string holder);

    [LoggerMessage(1503, LogLevel.Warning, "{Problem} Retrying.")]
    public static partial void LeaseRequestFailing(ILogger logger, string problem);

    [LoggerMessage(1504, LogLevel.Information, "Failed to release the lease {Lease} in cluster \"{Cluster}\"; it will expire: {Problem}")]
    public static partial void LeaseNotReleased(ILogger logger, string lease, string cluster, string problem);

    // Events

    [LoggerMessage(
        1600,
        LogLevel.Warning,
        "Failed to send Events to cluster \"{Cluster}\"; the first one not sent is {Reason} of {Kind} {Name}: {Problem}"
    )]
    public static partial void EventFailed(ILogger logger, string cluster, string reason, string kind, string name, string problem);

    [LoggerMessage(1601, LogLevel.Debug, "Event {Reason} of {Name} dropped: the queue is full.")]
    public static partial void EventDropped(ILogger logger, string reason, string name);

    [LoggerMessage(1602, LogLevel.Debug, "Event of {Kind} {Name} dropped: rate limit exceeded.")]
    public static partial void EventRateLimited(ILogger logger, string kind, string name);

    // Tracing

    [LoggerMessage(1700, LogLevel.Information, "Traces are sent to {Endpoint} over {Protocol}; sampling ratio {Ratio}.")]
    public static partial void TracingStarted(ILogger logger, string endpoint, string protocol, double ratio);

    [LoggerMessage(
        1701,
        LogLevel.Warning,
        "Failed to send traces to the endpoint of --tracing-endpoint; spans are dropped. Check the URL, the protocol and "
            + "OTEL_EXPORTER_OTLP_HEADERS."
    )]
    public static partial void TraceExportFailed(ILogger logger);

    [LoggerMessage(1702, LogLevel.Information, "Traces are sent again.")]
    public static partial void TraceExportRecovered(ILogger logger);
}
