using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Runtime.Tracing;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Tests.Tracing;

public sealed class TraceExportTests : IDisposable
{
    private const string Headers = "OTEL_EXPORTER_OTLP_HEADERS";
    private readonly CapturingLoggerProvider _logs = new();
    private readonly LoggerFactory _loggers;

    public TraceExportTests() => _loggers = new LoggerFactory([_logs]);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Headers, null);
        _loggers.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Spans_are_sent_with_the_headers_of_the_environment_and_these_are_not_logged(bool isHttp)
    {
        Environment.SetEnvironmentVariable(Headers, "authorization=Bearer%20secret");
        await using var receiver = await OtlpReceiver.StartAsync();
        using (var export = Export(new TracingOptions(isHttp ? receiver.Http : receiver.Grpc, 1) { IsHttp = isHttp }))
        {
            Trace(export.Tracer);
        }

        var span = receiver.Spans.Should().ContainSingle().Subject;
        span.Name.Should().Be("change HTTPRoute");
        span.Service.Should().Be("kubelb-test");
        span.Attributes.Should().Contain("kubelb.result", "deleted");
        receiver.Headers.Should().ContainSingle().Which["authorization"].Should().Be("Bearer secret");
        _logs.Lines.Should().NotBeEmpty().And.NotContain(line => line.Text.Contains("secret"));
    }

    [Fact]
    public void Receiver_that_is_not_available_is_logged_once_and_does_not_fail_the_stop()
    {
        using (var export = Export(new TracingOptions(new Uri("http://127.0.0.1:1"), 1) { IsHttp = true }))
        {
            Trace(export.Tracer);
        }

        _logs.AtLeast(LogLevel.Warning).Should().ContainSingle();
    }

    private TraceExport Export(TracingOptions options) =>
        new(
            options,
            new TracerSettings("kubelb-test", "v0", "change", options.SamplingRatio, _ => "t1"),
            TimeProvider.System,
            _loggers.CreateLogger<TraceExport>()
        );

    private static void Trace(ChangeTracer tracer)
    {
        var latency = new GenerationLatency(Prometheus.Metrics.NewCustomRegistry(), "latency_seconds", "Help.", TimeProvider.System);
        var key = new ResourceKey("default", "web");
        var reconcile = ReconcileTrace.Begin(tracer, "route", key, TimeSpan.Zero);
        latency.Start("HTTPRoute", key, 1, hasResult: false);
        reconcile.End("done", null);
        latency.Forget("HTTPRoute", key);
    }
}
