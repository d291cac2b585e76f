namespace KubeLB.Inspection.Metrics;

/// <summary>Durations in buckets. Immutable.</summary>
/// <param name="Buckets">Number of durations up to each upper bound in milliseconds, cumulative, in the order of the bounds.</param>
internal sealed record LatencyHistogram(IReadOnlyList<(double Bound, double Count)> Buckets)
{
    /// <summary>No durations.</summary>
    public static LatencyHistogram Empty { get; } = new([]);

    /// <summary>Number of durations.</summary>
    public double Count => Buckets.Count == 0 ? 0 : Buckets[^1].Count;

    /// <summary>The durations since an earlier state; all of them if the process has restarted since.</summary>
    public LatencyHistogram Since(LatencyHistogram before)
    {
        if (before.Buckets.Count == 0 || before.Count > Count)
        {
            return this;
        }

        var earlier = before.Buckets.ToDictionary(b => b.Bound, b => b.Count);
        return new LatencyHistogram([.. Buckets.Select(b => (b.Bound, Math.Max(0, b.Count - earlier.GetValueOrDefault(b.Bound))))]);
    }

    /// <summary>The durations of both. The bounds must be equal, as those of all Envoys of one version are.</summary>
    public LatencyHistogram Add(LatencyHistogram other)
    {
        if (Buckets.Count == 0 || other.Buckets.Count == 0)
        {
            return Buckets.Count == 0 ? other : this;
        }

        var counts = other.Buckets.ToDictionary(b => b.Bound, b => b.Count);
        return new LatencyHistogram([.. Buckets.Select(b => (b.Bound, b.Count + counts.GetValueOrDefault(b.Bound)))]);
    }

    /// <summary>
    /// A quantile in milliseconds, interpolated in its bucket as Prometheus' <c>histogram_quantile</c>; null without durations.
    /// </summary>
    /// <param name="quantile">0 to 1.</param>
    public double? Quantile(double quantile)
    {
        if (Count <= 0)
        {
            return null;
        }

        var rank = quantile * Count;
        var (lower, below) = (0.0, 0.0);
        foreach (var (bound, count) in Buckets)
        {
            if (count >= rank && count > below)
            {
                // Durations above the last bound have no upper limit.
                return double.IsPositiveInfinity(bound) ? lower : lower + ((bound - lower) * (rank - below) / (count - below));
            }

            (lower, below) = (bound, count);
        }

        return lower;
    }
}
