using System.Collections.Concurrent;
using System.Diagnostics;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Tracing;

public sealed class ChangeTracerTests : IDisposable
{
    private const string Kind = "HTTPRoute";
    private static readonly ResourceKey Key = new("tenant-t1", "web");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;
    private readonly GenerationLatency _latency;
    private ChangeTracer _tracer;

    public ChangeTracerTests()
    {
        _tracer = Create(1);
        _latency = new GenerationLatency(Prometheus.Metrics.NewCustomRegistry(), "latency_seconds", "Help.", _time);
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == nameof(ChangeTracerTests),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _tracer.Dispose();
    }

    [Fact]
    public void Reconciles_of_objects_with_a_result_start_no_trace()
    {
        // A restart or a complete list reconciles every object, which has its result already.
        for (var i = 0; i < 1_000; i++)
        {
            Reconcile(() => _latency.Start(Kind, new ResourceKey("tenant-t1", $"r{i}"), 1, hasResult: true));
            Reconcile(() => _latency.Start(Kind, new ResourceKey("tenant-t1", $"r{i}"), 1, hasResult: true));
        }

        _tracer.Dispose();
        _ended.Should().BeEmpty();
    }

    [Fact]
    public void New_generation_ends_the_trace_of_the_previous_one()
    {
        Reconcile(() => _latency.Start(Kind, Key, 1, hasResult: false));
        Reconcile(() => _latency.Start(Kind, Key, 2, hasResult: false));
        Reconcile(() =>
        {
            _latency.Start(Kind, Key, 2, hasResult: false);
            ReconcileTrace.Current!.CompleteChange(ChangeResults.Reported);
        });

        _ended.Select(Result).Should().Equal(ChangeResults.Superseded, ChangeResults.Reported);
        _ended.Should().OnlyContain(a => a.OperationName == $"change {Kind}");
        _tracer.Open.Should().Be(0);
    }

    [Fact]
    public void Failed_reconcile_is_a_span_with_its_error_and_the_change_continues()
    {
        var trace = ReconcileTrace.Begin(_tracer, "route", Key, TimeSpan.FromSeconds(2));
        _latency.Start(Kind, Key, 1, hasResult: false);
        trace.CompleteChange(ChangeResults.Reported);
        trace.End("error", new InvalidOperationException(new string('x', 10_000)));

        var span = _ended.Should().ContainSingle().Subject;
        span.OperationName.Should().Be("reconcile route");
        span.Status.Should().Be(ActivityStatusCode.Error);
        span.StatusDescription.Should().HaveLength(253);
        span.GetTagItem("error.type").Should().Be("System.InvalidOperationException");
        span.GetTagItem("kubelb.queue.duration").Should().Be(2.0);
        _tracer.Open.Should().Be(1);
    }

    [Fact]
    public void Change_starts_with_its_first_reconcile()
    {
        var trace = ReconcileTrace.Begin(_tracer, "route", Key, TimeSpan.Zero);
        _time.Advance(TimeSpan.FromSeconds(1));
        _latency.Start(Kind, Key, 1, hasResult: false);
        trace.End("error", new InvalidOperationException());
        _latency.Forget(Kind, Key);

        _ended.Should().HaveCount(2);
        _ended.Select(a => a.StartTimeUtc).Should().AllBeEquivalentTo(_time.GetUtcNow().UtcDateTime.AddSeconds(-1));
    }

    [Fact]
    public void Trace_without_a_result_ends_after_its_limit()
    {
        Reconcile(() =>
        {
            _latency.Start(Kind, Key, 1, hasResult: false);
            ReconcileTrace.Current!.Change!.BeginWait(Waits.EnvoyGateway);
        });
        _time.Advance(ChangeTracer.MaxDuration);

        _ended.Select(a => a.OperationName).Should().Equal(Waits.EnvoyGateway, $"change {Kind}");
        _ended.Should().OnlyContain(a => Result(a) == ChangeResults.TimedOut);
    }

    [Fact]
    [Trait("Threat", "trace-context")]
    public void Storm_of_changes_has_a_bounded_number_of_traces()
    {
        for (var i = 0; i < 20_000; i++)
        {
            var tenant = $"tenant-t{i % 50}";
            Reconcile(() => _latency.Start(Kind, new ResourceKey(tenant, $"r{i}"), 1, hasResult: false, Sampled()));
        }

        _tracer.Open.Should().Be(ChangeTracer.MaxOpen);

        // One tenant alone.
        var other = Create(1);
        Swap(other);
        for (var i = 0; i < 1_000; i++)
        {
            Reconcile(() => _latency.Start(Kind, Key, 10 + i, hasResult: false, Sampled()));
        }

        _tracer.Open.Should().BeLessThanOrEqualTo(1, "each generation ends the trace of the previous one");
        _ended.Count(a => Result(a) == ChangeResults.Superseded).Should().BeLessThanOrEqualTo(ChangeTracer.PerTenant.Burst);
    }

    [Fact]
    public void Tenant_with_many_open_traces_leaves_others_to_other_tenants()
    {
        for (var i = 0; i < 3 * ChangeTracer.MaxOpenOfTenant; i++)
        {
            _time.Advance(ChangeTracer.PerTenant.Interval);
            Reconcile(() => _latency.Start(Kind, new ResourceKey("tenant-t1", $"r{i}"), 1, hasResult: false));
        }

        _tracer.Open.Should().Be(ChangeTracer.MaxOpenOfTenant);
        Reconcile(() => _latency.Start(Kind, new ResourceKey("tenant-t2", "web"), 1, hasResult: false));
        _tracer.Open.Should().Be(ChangeTracer.MaxOpenOfTenant + 1);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0)]
    [Trait("Threat", "trace-context")]
    public void Tenant_that_samples_every_change_gets_no_more_than_its_share(double ratio)
    {
        Swap(Create(ratio));
        const int Changes = 1_000;
        for (var i = 0; i < Changes; i++)
        {
            Reconcile(() => _latency.Start(Kind, Key, i + 1, hasResult: false, Sampled()));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        _tracer.Dispose();
        _ended.Count.Should().BeInRange((int)(Changes * ratio), (int)(Changes * ratio) + (ratio > 0 ? 10 : 0));
    }

    [Fact]
    public void Decision_of_the_parent_is_followed()
    {
        Swap(Create(0.5));
        Reconcile(() => _latency.Start(Kind, Key, 1, hasResult: false, TraceParent.NotSampled()));
        _tracer.Open.Should().Be(0);

        var parent = Sampled();
        Reconcile(() => _latency.Start(Kind, Key, 2, hasResult: false, parent));
        _latency.Forget(Kind, Key);

        var span = _ended.Should().ContainSingle().Subject;
        span.Kind.Should().Be(ActivityKind.Consumer);
        parent.Should().Be($"00-{span.TraceId}-{span.ParentSpanId}-01");
    }

    [Fact]
    public void Context_of_an_earlier_change_is_not_used_again()
    {
        var parent = Sampled();
        Reconcile(() => _latency.Start(Kind, Key, 1, hasResult: false, parent));
        Reconcile(() => _latency.Start(Kind, Key, 2, hasResult: false, parent));
        _latency.Forget(Kind, Key);

        _ended.Select(a => a.ParentSpanId == default).Should().Equal(false, true);
    }

    [Fact]
    public void Measurement_without_tracing_allocates_nothing()
    {
        _latency.Start(Kind, Key, 1, hasResult: false);
        Measure();
        Measure().Should().Be(0);

        long Measure()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++)
            {
                _latency.Start(Kind, Key, 1, hasResult: false);
                ReconcileTrace.Current?.Change?.BeginWait(Waits.Proxies);
                ReconcileTrace.Current?.CompleteChange(ChangeResults.Reported);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static string Sampled() => $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-01";

    private static string? Result(Activity activity) => (string?)activity.GetTagItem("kubelb.result");

    private ChangeTracer Create(double ratio) => new(new TracerSettings(nameof(ChangeTracerTests), "v0", "change", ratio, ns => ns), _time);

    private void Swap(ChangeTracer tracer)
    {
        _tracer.Dispose();
        _ended.Clear();
        _tracer = tracer;
    }

    // The reconcile of a worker: the caller's flow keeps no trace.
    private void Reconcile(Action body) =>
        ExecutionContext.Run(
            ExecutionContext.Capture()!,
            _ =>
            {
                var trace = ReconcileTrace.Begin(_tracer, "route", Key, TimeSpan.Zero);
                body();
                trace.End("done", null);
            },
            null
        );
}
