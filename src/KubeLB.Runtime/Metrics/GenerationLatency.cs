using System.Collections.Concurrent;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using Prometheus;

namespace KubeLB.Runtime.Metrics;

/// <summary>
/// Observes how long a new generation of an object takes from its first reconcile to its result. A generation that had its result before
/// this process saw it, for example before a restart, is not observed. In a host with tracing, each observed generation also has a
/// <see cref="ChangeTrace"/>, unless it is not sampled. Thread-safe; one reconcile per object at a time.
/// </summary>
/// <param name="registry">The registry of this host.</param>
/// <param name="name">Name of the histogram.</param>
/// <param name="help">Its description.</param>
/// <param name="time">The clock.</param>
public sealed class GenerationLatency(CollectorRegistry registry, string name, string help, TimeProvider time)
{
    // 10 ms to about 3 minutes.
    private static readonly double[] Buckets = Histogram.ExponentialBuckets(0.01, 2, 15);

    private readonly Histogram _histogram = Prometheus
        .Metrics.WithCustomRegistry(registry)
        .CreateHistogram(name, help, ["kind"], new HistogramConfiguration { Buckets = Buckets });

    private readonly ConcurrentDictionary<(string Kind, ResourceKey Key), Measurement> _measurements = new();

    /// <summary>Starts the measurement of a generation, unless it has started before.</summary>
    /// <param name="kind">The kind, a label of the histogram.</param>
    /// <param name="key">The object.</param>
    /// <param name="generation">Its generation.</param>
    /// <param name="hasResult">Whether the generation already has its result.</param>
    /// <param name="traceParent">The trace context that the object contains, from another process; it may have any value.</param>
    public void Start(string kind, ResourceKey key, long? generation, bool hasResult, string? traceParent = null)
    {
        if (generation is not { } current)
        {
            return;
        }

        var reconcile = ReconcileTrace.Current;
        _measurements.TryGetValue((kind, key), out var known);
        if (known?.Generation == current)
        {
            reconcile?.Join(known.Change);
            if (hasResult && known.Started is not null)
            {
                _measurements[(kind, key)] = known with { Started = null };
            }

            return;
        }

        known?.Change?.End(ChangeResults.Superseded);

        // A client that does not know the annotation, such as a CCM of the Go project, leaves that of an earlier change.
        var isNewContext = traceParent is null || traceParent != known?.TraceParent;
        _measurements[(kind, key)] = new Measurement(
            current,
            hasResult ? null : time.GetTimestamp(),
            hasResult ? null : reconcile?.StartChange(kind, key, current, isNewContext ? traceParent : null),
            // Only a context is compared with the next one: a tenant may write any text.
            reconcile is not null
            && traceParent is { Length: Tracing.TraceParent.Length }
                ? traceParent
                : null
        );
    }

    /// <summary>Ends the measurement of a generation. Its first result counts.</summary>
    public void End(string kind, ResourceKey key, long? generation)
    {
        if (
            _measurements.TryGetValue((kind, key), out var measurement)
            && measurement.Started is { } started
            && measurement.Generation == generation
            && _measurements.TryUpdate((kind, key), measurement with { Started = null }, measurement)
        )
        {
            _histogram.WithLabels(kind).Observe(time.GetElapsedTime(started).TotalSeconds);
        }
    }

    /// <summary>
    /// Ends the measurement of the current generation without a result: it waits for a change of something else, such as another object or
    /// a higher limit, which can take days.
    /// </summary>
    public void Cancel(string kind, ResourceKey key)
    {
        if (_measurements.TryGetValue((kind, key), out var measurement))
        {
            _measurements.TryUpdate((kind, key), measurement with { Started = null }, measurement);
        }
    }

    /// <summary>Removes a deleted object.</summary>
    public void Forget(string kind, ResourceKey key)
    {
        if (_measurements.TryRemove((kind, key), out var measurement))
        {
            measurement.Change?.End(ChangeResults.Deleted);
        }
    }

    private sealed record Measurement(long Generation, long? Started, ChangeTrace? Change, string? TraceParent);
}
