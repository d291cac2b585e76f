using KubeLB.Api.Naming;
using KubeLB.Inspection.Access;

namespace KubeLB.Inspection.Metrics;

/// <summary>The traffic of tenants during an interval, from the metrics of their proxies.</summary>
/// <param name="Seconds">Length of the interval.</param>
/// <param name="Total">The traffic of all tenants; null if no metrics could be read.</param>
/// <param name="Tenants">The tenants, that with the most requests first.</param>
/// <param name="Problems">What could not be read, and what to change.</param>
public sealed record TrafficReport(
    double Seconds,
    TrafficFigures? Total,
    IReadOnlyList<TenantTraffic> Tenants,
    IReadOnlyList<TrafficProblem> Problems
)
{
    private const int ListedTenants = 5;

    /// <summary>Reads the metrics twice.</summary>
    /// <param name="clusters">The connections.</param>
    /// <param name="tenantNamespace">The only tenant's namespace in the management cluster; null for all.</param>
    /// <param name="interval">Time between both.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>A report for each interval, without end.</returns>
    /// <exception cref="InspectionException">There is no management cluster, or no permission to list its pods.</exception>
    public static async IAsyncEnumerable<TrafficReport> WatchAsync(
        ClusterConnections clusters,
        string? tenantNamespace,
        TimeSpan interval,
        TimeProvider time,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(time);
        using var sampler = SamplerOf(clusters, time);
        var before = await ReadAsync(clusters, sampler, tenantNamespace, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            // Nothing changes without a permission, or without pods.
            if (before.Samples.Any(s => s.Pods.Count > 0))
            {
                await Task.Delay(interval, time, cancellationToken).ConfigureAwait(false);
            }

            var after = await ReadAsync(clusters, sampler, tenantNamespace, cancellationToken).ConfigureAwait(false);
            yield return Between(before, after, time);
            if (before.Samples.All(s => s.Pods.Count == 0))
            {
                await Task.Delay(interval, time, cancellationToken).ConfigureAwait(false);
            }

            before = after;
        }
    }

    /// <summary>The traffic between two samples. Tenants and pods that are in one of them only have no figures.</summary>
    internal static TrafficReport Between(TrafficSamples before, TrafficSamples after, TimeProvider time)
    {
        var earlier = before.Samples.ToDictionary(s => s.Proxies.Tenant, StringComparer.Ordinal);
        var tenants = after
            .Samples.Select(s => TenantInterval.Between(earlier.GetValueOrDefault(s.Proxies.Tenant), s, time))
            .OrderByDescending(t => t.Total?.Requests ?? -1)
            .ThenBy(t => t.Tenant, StringComparer.Ordinal)
            .ToList();
        var counted = tenants.Where(t => t.Total is not null).ToList();
        var seconds = counted.Select(t => t.Seconds).DefaultIfEmpty(0).Max();
        return new TrafficReport(
            Math.Round(seconds, 2),
            counted.Count == 0 ? null : TrafficFigures.Of(counted.Select(t => t.Total!).Aggregate((a, b) => a.Add(b)), seconds),
            [.. tenants.Select(t => t.ToTraffic())],
            [.. ProblemsOf(after)]
        );
    }

    /// <summary>Reads the metrics of all tenants once.</summary>
    /// <exception cref="InspectionException">There is no management cluster.</exception>
    internal static async Task<TrafficSamples> SampleAsync(
        ClusterConnections clusters,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        using var sampler = SamplerOf(clusters, time);
        return await ReadAsync(clusters, sampler, null, cancellationToken).ConfigureAwait(false);
    }

    private static TrafficSampler SamplerOf(ClusterConnections clusters, TimeProvider time) =>
        new(
            clusters.Management
                ?? throw new InspectionException(
                    $"There is no kubeconfig of the {ClusterConnections.ManagementCluster} (--management-kubeconfig)."
                ),
            time
        );

    private static async Task<TrafficSamples> ReadAsync(
        ClusterConnections clusters,
        TrafficSampler sampler,
        string? tenantNamespace,
        CancellationToken cancellationToken
    )
    {
        var inventory = await clusters
            .EvaluateAsync((_, management) => TenantProxies.Read(management, tenantNamespace), cancellationToken)
            .ConfigureAwait(false);
        return new TrafficSamples(
            await Task.WhenAll(inventory.Tenants.Select(t => sampler.SampleAsync(t, cancellationToken))).ConfigureAwait(false),
            inventory.Unreadable
        )
        {
            OnlyTenant = tenantNamespace is null ? null : TenantNames.TenantOf(tenantNamespace),
        };
    }

    /// <summary>What could not be read. One problem of many tenants is one line.</summary>
    internal static IEnumerable<TrafficProblem> ProblemsOf(TrafficSamples samples)
    {
        foreach (var unreadable in samples.Unreadable)
        {
            yield return new TrafficProblem("NotRead", $"{char.ToUpperInvariant(unreadable[0])}{unreadable[1..]}.", []);
        }

        if (samples.Unreadable.Count == 0 && samples.Samples.All(s => s.Proxies.Pods.Count == 0 && s.Proxies.Ports.Count == 0))
        {
            yield return new TrafficProblem(
                "NoProxies",
                samples.OnlyTenant is { } tenant
                    ? $"Tenant {tenant} has no proxy pods. Check the name with kubelb status; the first route to a Service creates them."
                    : "There are no proxy pods. The manager creates them with the first route of a tenant that has a Service.",
                []
            );
        }

        foreach (
            var group in samples
                .Samples.SelectMany(s => s.Problems.Select(p => (s.Proxies.Tenant, Problem: p)))
                .GroupBy(p => p.Problem.Reason, StringComparer.Ordinal)
        )
        {
            var tenants = group.Select(p => p.Tenant).Distinct(StringComparer.Ordinal).ToList();
            var messages = group.Select(p => p.Problem.Message).Distinct(StringComparer.Ordinal).ToList();
            yield return new TrafficProblem(
                group.Key,
                messages[0] + (messages.Count > 1 ? $" The same for {messages.Count - 1} more." : ""),
                tenants.Count > ListedTenants ? [.. tenants.Take(ListedTenants), $"{tenants.Count - ListedTenants} more"] : tenants
            );
        }
    }
}

/// <summary>The metrics of tenants at one time.</summary>
/// <param name="Samples">The samples of the tenants.</param>
/// <param name="Unreadable">Which objects could not be read.</param>
internal sealed record TrafficSamples(IReadOnlyList<TrafficSample> Samples, IReadOnlyList<string> Unreadable)
{
    /// <summary>Name of the tenant, if only one was to be read.</summary>
    public string? OnlyTenant { get; init; }
}

/// <summary>What could not be read.</summary>
/// <param name="Reason">A constant word.</param>
/// <param name="Message">The problem and the remedy.</param>
/// <param name="Tenants">Names of the affected tenants; at most 5, then their number.</param>
public sealed record TrafficProblem(string Reason, string Message, IReadOnlyList<string> Tenants);

/// <summary>The traffic of one tenant.</summary>
/// <param name="Tenant">Name of the tenant.</param>
/// <param name="Proxies">Number of proxy pods whose metrics were read twice.</param>
/// <param name="Total">The traffic of all its routes; null if no metrics could be read.</param>
/// <param name="Backends">The traffic of each Service of each route, that with the most requests first.</param>
public sealed record TenantTraffic(string Tenant, int Proxies, TrafficFigures? Total, IReadOnlyList<BackendTraffic> Backends);

/// <summary>The traffic from one route to one port of a Service.</summary>
/// <param name="Target">The tenant's objects.</param>
/// <param name="Figures">The traffic.</param>
public sealed record BackendTraffic(TrafficTarget Target, TrafficFigures Figures);

/// <summary>Figures of an interval.</summary>
/// <param name="Requests">Number of requests that Envoy Gateway sent to the proxies.</param>
/// <param name="RequestsPerSecond">The same per second.</param>
/// <param name="Errors">Number of 5xx responses, including those of the proxies if they reached no node.</param>
/// <param name="ErrorsPerSecond">The same per second.</param>
/// <param name="FailedConnections">Number of connections to nodes that failed. The proxies retried requests with other nodes.</param>
/// <param name="Connections">Open connections from Envoy Gateway to the proxies at the end of the interval.</param>
/// <param name="Latency">Durations of the requests; null if Envoy has reported none during the interval.</param>
public sealed record TrafficFigures(
    long Requests,
    double RequestsPerSecond,
    long Errors,
    double ErrorsPerSecond,
    long FailedConnections,
    long Connections,
    LatencyFigures? Latency
)
{
    /// <summary>The figures of counters.</summary>
    internal static TrafficFigures Of(PortCounters counters, double seconds) =>
        new(
            (long)counters.Requests,
            PerSecond(counters.Requests, seconds),
            (long)counters.Errors,
            PerSecond(counters.Errors, seconds),
            (long)counters.FailedConnections,
            (long)counters.Connections,
            LatencyFigures.Of(counters.Latency)
        );

    private static double PerSecond(double count, double seconds) => seconds > 0 ? Math.Round(count / seconds, 2) : 0;
}

/// <summary>Quantiles of durations in milliseconds, interpolated in the buckets of Envoy.</summary>
public sealed record LatencyFigures(double P50, double P95, double P99)
{
    /// <summary>The quantiles of durations; null without durations.</summary>
    internal static LatencyFigures? Of(LatencyHistogram durations) =>
        durations.Quantile(0.5) is { } half && durations.Quantile(0.95) is { } most && durations.Quantile(0.99) is { } nearlyAll
            ? new LatencyFigures(Math.Round(half, 2), Math.Round(most, 2), Math.Round(nearlyAll, 2))
            : null;
}

/// <summary>What happened in the proxies of a tenant between two samples.</summary>
/// <param name="Tenant">Name of the tenant.</param>
/// <param name="Seconds">Length of the interval.</param>
/// <param name="Proxies">Number of proxy pods in both samples.</param>
/// <param name="Total">The sum; null without a pod in both samples.</param>
/// <param name="Targets">The counters by the tenant's objects.</param>
internal sealed record TenantInterval(
    string Tenant,
    double Seconds,
    int Proxies,
    PortCounters? Total,
    IReadOnlyList<(TrafficTarget Target, PortCounters Counters)> Targets
)
{
    private static readonly TrafficTarget Unknown = new(null, null, null);

    // The proxies' own listeners, and those inside Envoy.
    private const char NoPortCharacter = '_';

    /// <summary>Compares two samples.</summary>
    /// <param name="before">The earlier one; null if there is none.</param>
    /// <param name="after">The later one.</param>
    /// <param name="time">The clock of their timestamps.</param>
    public static TenantInterval Between(TrafficSample? before, TrafficSample after, TimeProvider time)
    {
        var pairs = (before?.Pods ?? [])
            .Join(after.Pods, p => p.Uid, p => p.Uid, (old, now) => (Old: old, Now: now), StringComparer.Ordinal)
            .ToList();
        if (pairs.Count == 0)
        {
            return new TenantInterval(after.Proxies.Tenant, 0, 0, null, []);
        }

        var ports = new Dictionary<TrafficTarget, PortCounters>();
        foreach (var target in after.Proxies.Ports.Values)
        {
            ports.TryAdd(target, new PortCounters());
        }

        foreach (var (old, now) in pairs)
        {
            foreach (var (name, counters) in now.Counters.Ports)
            {
                var grown = counters.Since(old.Counters.Ports.GetValueOrDefault(name) ?? new PortCounters());
                if (after.Proxies.Ports.TryGetValue(name, out var target))
                {
                    ports[target] = ports[target].Add(grown);
                }
                else if (IsTenantPort(name) && grown.Requests > 0)
                {
                    // A port whose Service was deleted.
                    ports[Unknown] = (ports.GetValueOrDefault(Unknown) ?? new PortCounters()).Add(grown);
                }
            }
        }

        return new TenantInterval(
            after.Proxies.Tenant,
            pairs.Max(p => time.GetElapsedTime(p.Old.At, p.Now.At).TotalSeconds),
            pairs.Count,
            ports.Values.Aggregate(new PortCounters(), (a, b) => a.Add(b)),
            [.. ports.Select(p => (p.Key, p.Value))]
        );
    }

    /// <summary>The figures.</summary>
    public TenantTraffic ToTraffic() =>
        new(
            Tenant,
            Proxies,
            Total is null ? null : TrafficFigures.Of(Total, Seconds),
            [
                .. Targets
                    .OrderByDescending(t => t.Counters.Requests)
                    .ThenBy(t => t.Target.Namespace, StringComparer.Ordinal)
                    .ThenBy(t => t.Target.Name, StringComparer.Ordinal)
                    .ThenBy(t => t.Target.Service, StringComparer.Ordinal)
                    .Select(t => new BackendTraffic(t.Target, TrafficFigures.Of(t.Counters, Seconds))),
            ]
        );

    // A Service has a DNS-1035 name, without underscores, and the protocol is at the end.
    private static bool IsTenantPort(string name) =>
        !name.Contains(NoPortCharacter, StringComparison.Ordinal) && name.EndsWith("-TCP", StringComparison.Ordinal);
}
