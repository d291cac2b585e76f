using System.Diagnostics;
using System.Globalization;
using k8s.Autorest;

namespace KubeLB.Runtime.Tracing;

/// <summary>
/// The trace of one change of an object in one process: a span from its first reconcile to its result, with waits as children. It ends
/// once; later calls do nothing. Thread-safe.
/// </summary>
public sealed class ChangeTrace
{
    // A change has about ten spans. More are those of retries, or of a route with hundreds of Services.
    private const int MaxSpans = 500;

    private readonly Lock _gate = new();
    private readonly ChangeTracer? _tracer;
    private readonly Dictionary<string, Activity> _waits = new(StringComparer.Ordinal);
    private Activity? _root;
    private int _spans;

    private ChangeTrace() { }

    internal ChangeTrace(ChangeTracer tracer, Activity root)
    {
        _tracer = tracer;
        _root = root;
        Started = root.StartTimeUtc;
    }

    /// <summary>A change that is not traced.</summary>
    internal static ChangeTrace NotSampled { get; } = new();

    /// <summary>When it started.</summary>
    internal DateTime Started { get; }

    /// <summary>Adds the tenant's object, of which the changed object is a copy.</summary>
    /// <param name="sourceNamespace">Its namespace. The tenant controls both: 253 characters are used.</param>
    /// <param name="name">Its name.</param>
    public void SetSource(string? sourceNamespace, string? name)
    {
        lock (_gate)
        {
            _root?.SetTag(SpanTags.SourceNamespace, SpanTags.Bounded(sourceNamespace));
            _root?.SetTag(SpanTags.SourceName, SpanTags.Bounded(name));
        }
    }

    /// <summary>Starts a span for a wait, unless it has started.</summary>
    /// <param name="name">One of <see cref="Waits"/>.</param>
    public void BeginWait(string name)
    {
        lock (_gate)
        {
            if (_root is not null && !_waits.ContainsKey(name) && StartChild(name, ActivityKind.Internal) is { } wait)
            {
                _waits[name] = wait;
            }
        }
    }

    /// <summary>Ends a wait, if it has started.</summary>
    /// <param name="name">One of <see cref="Waits"/>.</param>
    /// <param name="error">Why it ended without its result; null if it has one.</param>
    public void EndWait(string name, string? error = null)
    {
        lock (_gate)
        {
            if (_waits.Remove(name, out var wait))
            {
                if (error is not null)
                {
                    wait.SetStatus(ActivityStatusCode.Error, SpanTags.Bounded(error));
                }

                Stop(wait);
            }
        }
    }

    /// <summary>Ends the trace, with the waits that have not ended.</summary>
    /// <param name="result">One of <see cref="ChangeResults"/>.</param>
    internal void End(string result)
    {
        lock (_gate)
        {
            if (_root is null)
            {
                return;
            }

            foreach (var wait in _waits.Values)
            {
                wait.SetTag(SpanTags.Result, result);
                Stop(wait);
            }

            _waits.Clear();
            _root.SetTag(SpanTags.Result, result);
            if (result == ChangeResults.TimedOut)
            {
                _root.SetStatus(ActivityStatusCode.Error, $"no result after {ChangeTracer.MaxDuration.TotalMinutes:0} minutes");
            }

            Stop(_root);
            _root = null;
        }

        _tracer!.Ended(this);
    }

    /// <summary>Starts a child; null if the trace has ended or has too many spans.</summary>
    internal Activity? StartReconcile(string name, DateTime started)
    {
        lock (_gate)
        {
            return _root is null ? null : StartChild(name, ActivityKind.Internal, started);
        }
    }

    /// <summary>Starts a child of a reconcile; null if the trace has too many spans.</summary>
    internal Activity? StartWrite(string name, ActivityKind kind, Activity reconcile) =>
        Interlocked.Increment(ref _spans) > MaxSpans
            ? null
            : _tracer!.Detached(name, kind, reconcile.Context, _tracer.Time.GetUtcNow().UtcDateTime);

    /// <summary>Ends a span at the time of the tracer's clock.</summary>
    internal void Stop(Activity span)
    {
        span.SetEndTime(_tracer!.Time.GetUtcNow().UtcDateTime);
        span.Stop();
    }

    private Activity? StartChild(string name, ActivityKind kind, DateTime? started = null) =>
        Interlocked.Increment(ref _spans) > MaxSpans
            ? null
            : _tracer!.Detached(name, kind, _root!.Context, started ?? _tracer.Time.GetUtcNow().UtcDateTime);
}

/// <summary>Names of the spans of waits.</summary>
public static class Waits
{
    /// <summary>In the CCM: the node ports of the Services behind a route are not allocated.</summary>
    public const string NodePorts = "wait for node ports";

    /// <summary>In the manager: the tenant's proxies have not acknowledged new backends.</summary>
    public const string Proxies = "wait for proxies";

    /// <summary>In the manager: Envoy Gateway has not reported on the generated object.</summary>
    public const string EnvoyGateway = "wait for Envoy Gateway";
}

/// <summary>Names of the attributes of spans.</summary>
internal static class SpanTags
{
    public const string Tenant = "kubelb.tenant";
    public const string Namespace = "k8s.namespace.name";
    public const string Kind = "kubelb.object.kind";
    public const string Name = "kubelb.object.name";
    public const string Generation = "kubelb.object.generation";
    public const string SourceNamespace = "kubelb.source.namespace";
    public const string SourceName = "kubelb.source.name";
    public const string Cluster = "kubelb.cluster";
    public const string Controller = "kubelb.controller";
    public const string QueueDuration = "kubelb.queue.duration";
    public const string Result = "kubelb.result";
    private const string ErrorType = "error.type";

    // The longest name of an object.
    private const int MaxLength = 253;

    public static string? Bounded(string? text) => text is { Length: > MaxLength } ? text[..MaxLength] : text;

    public static void SetError(Activity span, Exception failure)
    {
        span.SetTag(
            ErrorType,
            failure is HttpOperationException { Response: { } response }
                ? ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture)
                : failure.GetType().FullName
        );
        span.SetStatus(ActivityStatusCode.Error, Bounded(failure.Message));
    }
}
