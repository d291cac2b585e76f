using System.Diagnostics;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Tracing;

/// <summary>
/// Decides which changes are traced, and holds the traces that are in progress. A tenant controls the contexts that the manager reads, so
/// every decision is bounded per tenant: a share of its changes, and a rate. Thread-safe. A host without tracing has none.
/// </summary>
public sealed class ChangeTracer : IDisposable
{
    /// <summary>The traces in progress; further changes are not traced.</summary>
    internal const int MaxOpen = 1_000;

    /// <summary>The traces in progress of one tenant.</summary>
    internal const int MaxOpenOfTenant = 100;

    /// <summary>The traced changes of a tenant: a burst, and then 10 per second.</summary>
    internal static readonly WriteLimit PerTenant = new(100, TimeSpan.FromMilliseconds(100));

    /// <summary>The time after which a trace ends without a result, for example if Envoy Gateway does not report.</summary>
    internal static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(10);

    // How many changes more than its share a tenant can have traced, so that the decisions of an honest CCM are followed.
    private const double MaxCredit = 10;

    private const int MaxTenants = 4096;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ChangeTrace, TenantShare> _open = [];
    private readonly LruCache<string, TenantShare> _shares = new(MaxTenants);
    private readonly TracerSettings _settings;
    private readonly ITimer _sweep;

    /// <summary>Creates a tracer without listeners: nothing is traced until one is added for <see cref="Source"/>.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="time">The clock.</param>
    public ChangeTracer(TracerSettings settings, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(time);
        _settings = settings;
        Time = time;
        Source = new ActivitySource(settings.Name, settings.Version);
        _sweep = time.CreateTimer(_ => EndOverdue(), null, SweepInterval, SweepInterval);
    }

    /// <summary>The source of all spans of this host.</summary>
    public ActivitySource Source { get; }

    /// <summary>The clock.</summary>
    internal TimeProvider Time { get; }

    /// <summary>The number of traces in progress.</summary>
    internal int Open
    {
        get
        {
            lock (_gate)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Ends the traces in progress.</summary>
    public void Dispose()
    {
        _sweep.Dispose();
        EndAll(_ => true, ChangeResults.Interrupted);
        Source.Dispose();
    }

    /// <summary>Starts the trace of a change.</summary>
    /// <param name="kind">The kind of the object.</param>
    /// <param name="key">The object.</param>
    /// <param name="generation">Its new generation.</param>
    /// <param name="traceParent">The context that the object contains, from another process; it may have any value.</param>
    /// <param name="started">The start of its first reconcile.</param>
    /// <returns>The trace, or <see cref="ChangeTrace.NotSampled"/>.</returns>
    internal ChangeTrace Start(string kind, ResourceKey key, long generation, string? traceParent, DateTime started)
    {
        var tenant = _settings.TenantOf(key.Namespace);
        var hasParent = TraceParent.TryParse(traceParent, out var parent);
        if (
            Sample(tenant ?? "", hasParent ? parent : null) is not { } share
            || Detached($"{_settings.Verb} {kind}", hasParent ? ActivityKind.Consumer : ActivityKind.Internal, parent, started)
                is not { } root
        )
        {
            return ChangeTrace.NotSampled;
        }

        root.SetTag(SpanTags.Tenant, tenant);
        root.SetTag(SpanTags.Namespace, key.Namespace);
        root.SetTag(SpanTags.Kind, kind);
        root.SetTag(SpanTags.Name, key.Name);
        root.SetTag(SpanTags.Generation, generation);
        var change = new ChangeTrace(this, root);
        lock (_gate)
        {
            _open.Add(change, share);
            share.Open++;
        }

        return change;
    }

    /// <summary>
    /// Starts a span that is not <see cref="Activity.Current"/>: requests to API servers must not carry the context, because the clusters
    /// belong to others.
    /// </summary>
    internal Activity? Detached(string name, ActivityKind kind, ActivityContext parent, DateTime started)
    {
        var before = Activity.Current;
        Activity.Current = null;
        try
        {
            return Source.StartActivity(name, kind, parent, tags: null, links: null, new DateTimeOffset(started));
        }
        finally
        {
            Activity.Current = before;
        }
    }

    /// <summary>Removes a trace that has ended.</summary>
    internal void Ended(ChangeTrace change)
    {
        lock (_gate)
        {
            if (_open.Remove(change, out var share))
            {
                share.Open--;
            }
        }
    }

    // A context with the flag "sampled" is followed while the tenant has credit, which grows by the ratio with each of its changes: a CCM
    // with the same ratio is followed, and a tenant that sets the flag on every Route gets no more than that.
    private TenantShare? Sample(string tenant, ActivityContext? parent)
    {
        lock (_gate)
        {
            var share = _shares.GetOrAdd(tenant, () => new TenantShare(Time));
            share.Credit = Math.Min(MaxCredit, share.Credit + _settings.SamplingRatio);
            var isSampled = parent is { } context
                ? context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) && share.Credit >= 1 && _settings.SamplingRatio > 0
                : Random.Shared.NextDouble() < _settings.SamplingRatio;
            if (!isSampled || _open.Count >= MaxOpen || share.Open >= MaxOpenOfTenant || !share.Rate.TryTake())
            {
                return null;
            }

            share.Credit = Math.Max(0, share.Credit - 1);
            return share;
        }
    }

    private void EndOverdue()
    {
        var now = Time.GetUtcNow().UtcDateTime;
        EndAll(change => now - change.Started >= MaxDuration, ChangeResults.TimedOut);
    }

    private void EndAll(Func<ChangeTrace, bool> isEnded, string result)
    {
        List<ChangeTrace> ended;
        lock (_gate)
        {
            ended = [.. _open.Keys.Where(isEnded)];
        }

        ended.ForEach(change => change.End(result));
    }

    private sealed class TenantShare(TimeProvider time)
    {
        public double Credit { get; set; } = MaxCredit;

        public int Open { get; set; }

        public TokenBucket Rate { get; } = new(PerTenant.Burst, PerTenant.Interval, time);
    }
}

/// <summary>Settings of a <see cref="ChangeTracer"/>.</summary>
/// <param name="Name">Name of the source of the spans, for example <c>kubelb-ccm</c>.</param>
/// <param name="Version">Version of the component.</param>
/// <param name="Verb">The part of this component in a change, the first word of the span: <c>change</c> or <c>generate</c>.</param>
/// <param name="SamplingRatio">The share of changes that are traced, 0 to 1.</param>
/// <param name="TenantOf">The tenant of an object, by its namespace.</param>
public sealed record TracerSettings(string Name, string Version, string Verb, double SamplingRatio, Func<string, string?> TenantOf);

/// <summary>Values of <see cref="SpanTags.Result"/> of a change.</summary>
public static class ChangeResults
{
    /// <summary>The result is in the status of the object.</summary>
    public const string Reported = "reported";

    /// <summary>The object is not served, for example because no Gateway allows it.</summary>
    public const string NotServed = "not_served";

    /// <summary>A newer generation of the object followed before the result of this one.</summary>
    public const string Superseded = "superseded";

    /// <summary>The object was deleted.</summary>
    public const string Deleted = "deleted";

    /// <summary>There was no result for 10 minutes.</summary>
    public const string TimedOut = "timed_out";

    /// <summary>The process stopped.</summary>
    public const string Interrupted = "interrupted";
}
