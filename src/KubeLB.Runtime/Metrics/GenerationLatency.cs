using System.Collections.Concurrent;
using KubeLB.Runtime.Storing;
using Prometheus;

namespace KubeLB.Runtime.Metrics;

/// <summary>
/// Observes how long a new generation of an object takes from its first reconcile to its result. A generation that had its result before
/// this process saw it, for example before a restart, is not observed. Thread-safe.
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
    public void Start(string kind, ResourceKey key, long? generation, bool hasResult)
    {
        if (generation is not { } current)
        {
            return;
        }

        _measurements.AddOrUpdate(
            (kind, key),
            _ => New(),
            (_, known) =>
                known.Generation != current ? New()
                : hasResult ? known with { Started = null }
                : known
        );

        Measurement New() => new(current, hasResult ? null : time.GetTimestamp());
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
    public void Forget(string kind, ResourceKey key) => _measurements.TryRemove((kind, key), out _);

    private sealed record Measurement(long Generation, long? Started);
}
