using System.Diagnostics;
using KubeLB.Runtime.Tracing;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace KubeLB.Runtime.Hosting;

/// <summary>
/// Exports the spans of the host's <see cref="ChangeTracer"/> over OTLP, in batches. Spans are dropped while the queue is full. It listens
/// to the source of this host only, because a process can have several hosts.
/// </summary>
internal sealed class TraceExport : IDisposable
{
    private const int MaxQueue = 2048;
    private const int MaxBatch = 512;
    private const int TimeoutMilliseconds = 10_000;
    private const int ScheduleMilliseconds = 1_000;
    private const int StopMilliseconds = 3_000;

    private readonly BatchActivityExportProcessor _batches;
    private readonly TracerProvider _provider;
    private readonly ActivityListener _listener;

    /// <summary>Starts the export.</summary>
    public TraceExport(TracingOptions options, TracerSettings tracer, TimeProvider time, ILogger<TraceExport> logger)
    {
        Tracer = new ChangeTracer(tracer, time);
        _batches = new BatchActivityExportProcessor(
            CreateExporter(options, logger),
            MaxQueue,
            ScheduleMilliseconds,
            TimeoutMilliseconds,
            MaxBatch
        );

        // The environment comes last: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
        var resource = ResourceBuilder
            .CreateEmpty()
            .AddTelemetrySdk()
            .AddService(tracer.Name, serviceNamespace: "kubelb", tracer.Version, serviceInstanceId: Environment.MachineName)
            .AddEnvironmentVariableDetector();
        _provider = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddProcessor(_batches).Build();
        _listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, Tracer.Source),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _batches.OnEnd,
        };
        ActivitySource.AddActivityListener(_listener);
        Log.TracingStarted(logger, options.Target.GetLeftPart(UriPartial.Path), options.IsHttp ? "HTTP" : "gRPC", options.SamplingRatio);
    }

    /// <summary>The tracer of the host.</summary>
    public ChangeTracer Tracer { get; }

    /// <summary>Ends the traces in progress and sends what is queued.</summary>
    public void Dispose()
    {
        Tracer.Dispose();
        _listener.Dispose();
        _provider.Shutdown(StopMilliseconds);
        _provider.Dispose();
    }

    private static LoggedExporter CreateExporter(TracingOptions options, ILogger logger)
    {
        var otlp = new OtlpExporterOptions
        {
            Endpoint = options.Target,
            Protocol = options.IsHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc,
        };

        // OpenTelemetry's class reads the general variable; that for traces takes precedence, as in its specification.
        if (Environment.GetEnvironmentVariable(TracingOptions.TracesHeaders) is { Length: > 0 } headers)
        {
            otlp.Headers = headers;
        }

        return new LoggedExporter(otlp, logger);
    }

    // The exporter itself writes its failures only to an event source.
    private sealed class LoggedExporter(OtlpExporterOptions options, ILogger logger) : OtlpTraceExporter(options)
    {
        private bool _hasFailed;

        public override ExportResult Export(in Batch<Activity> activityBatch)
        {
            var result = base.Export(activityBatch);
            var failed = result != ExportResult.Success;
            if (failed != _hasFailed)
            {
                _hasFailed = failed;
                if (failed)
                {
                    Log.TraceExportFailed(logger);
                }
                else
                {
                    Log.TraceExportRecovered(logger);
                }
            }

            return result;
        }
    }
}
