using System.Collections.Concurrent;
using KubeLB.Api.Naming;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Tenants;
using KubeLB.Xds.Discovery;
using Prometheus;

namespace KubeLB.Manager.Metrics;

/// <summary>Metrics of the xDS streams, by tenant and resource type.</summary>
internal sealed class XdsMetrics : IXdsObserver
{
    /// <summary>Label of node ids without a Tenant: without mutual TLS a client may send any node id.</summary>
    public const string NoTenant = "_none";

    private readonly TenantSettingsResolver _tenants;

    // Tenants of open streams, since a Tenant may be deleted before its streams end.
    private readonly ConcurrentDictionary<long, string> _opened = new();
    private readonly Lock _counting = new();
    private readonly Gauge _streams;
    private readonly Counter _resources;
    private readonly Counter _bytes;
    private readonly Counter _rejections;
    private readonly Counter _denials;
    private readonly Histogram _push;
    private readonly Histogram _acknowledgement;

    public XdsMetrics(TenantSettingsResolver tenants, CollectorRegistry registry)
    {
        _tenants = tenants;
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        var times = new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0005, 2, 16) };
        _streams = factory.CreateGauge("kubelb_manager_xds_streams", "Open xDS streams.", "tenant");
        _resources = factory.CreateCounter(
            "kubelb_manager_xds_resources_sent_total",
            "Resources sent to proxies, removals included.",
            "tenant",
            "type"
        );
        _bytes = factory.CreateCounter("kubelb_manager_xds_bytes_sent_total", "Bytes of responses sent to proxies.", "tenant", "type");
        _rejections = factory.CreateCounter(
            "kubelb_manager_xds_rejections_total",
            "Responses rejected by a proxy (NACK).",
            "tenant",
            "type"
        );
        _denials = factory.CreateCounter(
            "kubelb_manager_xds_denied_streams_total",
            "Streams of proxies and requests of replicas that were denied because of their certificate."
        );
        _push = factory.CreateHistogram("kubelb_manager_xds_push_duration_seconds", "Time from a change to its response.", ["type"], times);
        _acknowledgement = factory.CreateHistogram(
            "kubelb_manager_xds_acknowledgement_duration_seconds",
            "Time from a response to the proxy's acknowledgement.",
            ["type"],
            times
        );
        registry.AddBeforeCollectCallback(RemoveDeletedTenants);
    }

    /// <inheritdoc/>
    public void StreamOpened(XdsStreamInfo stream)
    {
        var tenant = _tenants.TenantOf(stream.Node) is not null && TenantNames.TenantOf(stream.Node) is { } name ? name : NoTenant;
        _opened[stream.Id] = tenant;
        lock (_counting)
        {
            _streams.WithLabels(tenant).Inc();
        }

        // A rate needs a value before the first rejection.
        foreach (var type in XdsTypeNames.All)
        {
            _rejections.WithLabels(tenant, type.Name).Inc(0);
        }
    }

    /// <inheritdoc/>
    public void StreamClosed(XdsStreamInfo stream)
    {
        if (_opened.TryRemove(stream.Id, out var tenant))
        {
            lock (_counting)
            {
                _streams.WithLabels(tenant).Dec();
            }
        }
    }

    /// <inheritdoc/>
    public void Denied(string node, string peer, XdsDenial denial) => _denials.Inc();

    /// <inheritdoc/>
    public void ReplicaDenied(string node, string peer, string reason) => _denials.Inc();

    /// <inheritdoc/>
    public void Sent(XdsStreamInfo stream, XdsPush push)
    {
        var type = XdsTypeNames.Of(push.TypeUrl);
        _resources.WithLabels(TenantOf(stream), type).Inc(push.Resources + push.Removed);
        _bytes.WithLabels(TenantOf(stream), type).Inc(push.Bytes);
        if (push.SinceChange is { } time)
        {
            _push.WithLabels(type).Observe(time.TotalSeconds);
        }
    }

    /// <inheritdoc/>
    public void Acknowledged(XdsStreamInfo stream, string typeUrl, TimeSpan sinceSent) =>
        _acknowledgement.WithLabels(XdsTypeNames.Of(typeUrl)).Observe(sinceSent.TotalSeconds);

    /// <inheritdoc/>
    public void Rejected(XdsStreamInfo stream, XdsRejection rejection) =>
        _rejections.WithLabels(TenantOf(stream), XdsTypeNames.Of(rejection.TypeUrl)).Inc();

    // Removes the series of a deleted Tenant after its last stream has ended, so that their number stays bounded.
    private void RemoveDeletedTenants()
    {
        lock (_counting)
        {
            var deleted = _streams
                .GetAllLabelValues()
                .Select(labels => labels[0])
                .Where(tenant =>
                    tenant != NoTenant && _streams.WithLabels(tenant).Value == 0 && _tenants.TenantOf(TenantNames.Namespace(tenant)) is null
                )
                .ToHashSet(StringComparer.Ordinal);
            Remove(_streams, deleted);
            Remove(_resources, deleted);
            Remove(_bytes, deleted);
            Remove(_rejections, deleted);
        }
    }

    private static void Remove<TChild>(Collector<TChild> collector, HashSet<string> tenants)
        where TChild : ChildBase
    {
        foreach (var labels in collector.GetAllLabelValues().Where(labels => tenants.Contains(labels[0])).ToList())
        {
            collector.RemoveLabelled(labels);
        }
    }

    private string TenantOf(XdsStreamInfo stream) => _opened.GetValueOrDefault(stream.Id, NoTenant);
}
