using System.Collections.Concurrent;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Inspection.Metrics;

namespace KubeLB.Inspection.Dashboard;

/// <summary>The traffic of a tenant and its routes.</summary>
/// <param name="Tenant">Name of the tenant.</param>
/// <param name="Total">All of it; null if there are no figures.</param>
/// <param name="Routes">The routes with the most requests.</param>
/// <param name="Problem">Why there are no figures, or not of all proxies; null if there are.</param>
internal sealed record TrafficView(string Tenant, TrafficFigures? Total, IReadOnlyList<RouteTraffic> Routes, string? Problem);

/// <summary>The traffic of a route.</summary>
/// <param name="Kind">HTTPRoute or GRPCRoute.</param>
/// <param name="Namespace">Its namespace in the tenant's cluster.</param>
/// <param name="Name">Its name.</param>
/// <param name="Figures">The traffic.</param>
internal sealed record RouteTraffic(string Kind, string Namespace, string Name, TrafficFigures Figures);

/// <summary>
/// Reads the metrics of the tenants that pages show: each tenant at most every <see cref="DashboardOptions.Interval"/>, and none without an
/// open page.
/// </summary>
internal sealed class DashboardTraffic(DashboardClusters clusters, DashboardOptions options, TimeProvider time) : IDisposable
{
    /// <summary>Maximum number of tenants of one page.</summary>
    public const int MaxTenantsOfPage = 8;

    /// <summary>Maximum number of tenants of all pages.</summary>
    public const int MaxTenants = 32;

    private const int MaxRoutes = 500;

    // A proxy without metrics, or a missing permission.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    // Figures of a longer interval are not those of now.
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(20);

    private readonly TrafficSampler? _sampler = clusters.ManagementCluster is { } management ? new TrafficSampler(management, time) : null;
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Called when figures are new.</summary>
    public Action? Received { get; set; }

    /// <summary>The latest figures of a tenant; null before the first reading.</summary>
    public TrafficView? Of(string tenant) => _entries.GetValueOrDefault(tenant)?.View;

    /// <summary>Reads the tenants whose figures are old, without waiting for the responses.</summary>
    /// <param name="tenants">The tenants that pages show.</param>
    public void Refresh(IEnumerable<string> tenants)
    {
        if (_sampler is null || _stop.IsCancellationRequested)
        {
            return;
        }

        var now = time.GetTimestamp();
        foreach (var tenant in tenants.Take(MaxTenants))
        {
            var entry = _entries.GetOrAdd(tenant, static _ => new Entry());
            if (entry.TryBegin(now, time, options.Interval))
            {
                _ = SampleAsync(_sampler, tenant, entry);
            }
        }

        foreach (var (tenant, _) in _entries.Where(e => e.Value.IsForgotten(now, time)).ToList())
        {
            _entries.TryRemove(tenant, out _);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _sampler?.Dispose();
    }

    private async Task SampleAsync(TrafficSampler sampler, string tenant, Entry entry)
    {
        try
        {
            var inventory = TenantProxies.Read(clusters.ManagementObjects, TenantNames.Namespace(tenant));
            var proxies = inventory.Tenants.Count > 0 ? inventory.Tenants[0] : null;
            var sample = proxies is null ? null : await sampler.SampleAsync(proxies, _stop.Token).ConfigureAwait(false);
            entry.End(sample, View(tenant, entry.Fresh(time), sample, inventory.Unreadable));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The page is stopped.
            return;
        }
#pragma warning disable CA1031 // Metrics that no code expected must not end the page.
        catch (Exception e)
#pragma warning restore CA1031
        {
            entry.End(null, new TrafficView(tenant, null, [], $"The metrics cannot be read: {e.GetType().Name}."));
        }

        Received?.Invoke();
    }

    private TrafficView View(string tenant, TrafficSample? before, TrafficSample? sample, IReadOnlyList<string> unreadable)
    {
        var problem = unreadable.Count > 0 ? unreadable[0] : sample?.Problems.Select(p => p.Message).FirstOrDefault();
        if (sample is null)
        {
            return new TrafficView(tenant, null, [], problem ?? "The tenant has no proxies.");
        }

        var interval = TenantInterval.Between(before, sample, time);
        return new TrafficView(
            tenant,
            interval.Total is null ? null : TrafficFigures.Of(interval.Total, interval.Seconds),
            [
                .. interval
                    .Targets.Where(t => t.Target.Kind is not null)
                    .GroupBy(t => (Kind: t.Target.Kind!, Namespace: t.Target.Namespace ?? "", Name: t.Target.Name ?? ""))
                    .Select(g => (g.Key, Sum: g.Select(t => t.Counters).Aggregate((a, b) => a.Add(b))))
                    .OrderByDescending(r => r.Sum.Requests)
                    .Take(MaxRoutes)
                    .Select(r => new RouteTraffic(
                        r.Key.Kind,
                        MessageText.Message(r.Key.Namespace, RowTable.MaxName),
                        MessageText.Message(r.Key.Name, RowTable.MaxName),
                        TrafficFigures.Of(r.Sum, interval.Seconds)
                    )),
            ],
            problem is null ? null : MessageText.Message(problem, RowTable.MaxMessage)
        );
    }

    private sealed class Entry
    {
        private readonly Lock _gate = new();
        private TrafficSample? _last;
        private long? _begun;
        private bool _isRunning;

        public TrafficView? View { get; private set; }

        public bool TryBegin(long now, TimeProvider time, TimeSpan interval)
        {
            lock (_gate)
            {
                var hasMetrics = _last is null ? View is null : _last.Pods.Count > 0;
                if (_isRunning || (_begun is { } begun && time.GetElapsedTime(begun, now) < (hasMetrics ? interval : Pause)))
                {
                    return false;
                }

                (_isRunning, _begun) = (true, now);
                return true;
            }
        }

        /// <summary>The last sample, unless it is too old to be compared with.</summary>
        public TrafficSample? Fresh(TimeProvider time)
        {
            lock (_gate)
            {
                return _last?.Pods.All(p => time.GetElapsedTime(p.At) < MaxAge) == true ? _last : null;
            }
        }

        public void End(TrafficSample? sample, TrafficView view)
        {
            lock (_gate)
            {
                (_last, View, _isRunning) = (sample, view, false);
            }
        }

        public bool IsForgotten(long now, TimeProvider time)
        {
            lock (_gate)
            {
                return !_isRunning && _begun is { } begun && time.GetElapsedTime(begun, now) > 2 * Pause;
            }
        }
    }
}
