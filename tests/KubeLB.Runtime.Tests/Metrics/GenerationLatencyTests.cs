using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Time.Testing;
using Prometheus;

namespace KubeLB.Runtime.Tests.Metrics;

public class GenerationLatencyTests
{
    private static readonly ResourceKey Key = new("default", "web");

    private readonly FakeTimeProvider _time = new();
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly GenerationLatency _latency;

    public GenerationLatencyTests() => _latency = new GenerationLatency(_registry, "latency_seconds", "Help.", _time);

    [Fact]
    public async Task Each_new_generation_is_observed_once_from_its_first_reconcile_to_its_first_result()
    {
        _latency.Start("HTTPRoute", Key, 1, hasResult: false);
        _time.Advance(TimeSpan.FromSeconds(1));
        _latency.Start("HTTPRoute", Key, 1, hasResult: false);
        _time.Advance(TimeSpan.FromSeconds(1));
        _latency.End("HTTPRoute", Key, 1);
        _latency.End("HTTPRoute", Key, 1);
        (await ReadAsync()).Should().Be((1, 2));

        _latency.Start("HTTPRoute", Key, 2, hasResult: false);
        _time.Advance(TimeSpan.FromSeconds(3));
        _latency.End("HTTPRoute", Key, 1);
        (await ReadAsync()).Should().Be((1, 2), "the result of an older generation is none of this one");
        _latency.End("HTTPRoute", Key, 2);
        (await ReadAsync()).Should().Be((2, 5));
    }

    [Fact]
    public async Task Result_from_before_a_restart_and_a_deleted_object_are_not_observed()
    {
        _latency.Start("HTTPRoute", Key, 1, hasResult: true);
        _latency.End("HTTPRoute", Key, 1);
        _latency.Start("HTTPRoute", Key, 2, hasResult: false);
        _latency.Forget("HTTPRoute", Key);
        _latency.End("HTTPRoute", Key, 2);
        (await ReadAsync()).Should().Be((0, 0));
    }

    [Fact]
    public async Task Generation_that_waits_for_something_else_is_not_observed()
    {
        _latency.Start("HTTPRoute", Key, 1, hasResult: false);
        _latency.Cancel("HTTPRoute", Key);
        _time.Advance(TimeSpan.FromDays(1));
        _latency.Start("HTTPRoute", Key, 1, hasResult: false);
        _latency.End("HTTPRoute", Key, 1);
        (await ReadAsync()).Should().Be((0, 0));
    }

    private async Task<(double Count, double Sum)> ReadAsync()
    {
        await using var stream = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(stream);
        var lines = System.Text.Encoding.UTF8.GetString(stream.ToArray()).Split('\n');
        return (Value("latency_seconds_count"), Value("latency_seconds_sum"));

        double Value(string name) =>
            lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
                ? double.Parse(line.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture)
                : 0;
    }
}
