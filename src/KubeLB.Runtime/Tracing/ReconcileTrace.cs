using System.Diagnostics;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Tracing;

/// <summary>
/// One reconcile of a host with tracing. It becomes a span when it writes an object or fails in the course of a traced change, so that a
/// reconcile without effect has none. Belongs to the worker of the reconcile.
/// </summary>
public sealed class ReconcileTrace
{
    private static readonly AsyncLocal<ReconcileTrace?> Ambient = new();

    private readonly ChangeTracer _tracer;
    private readonly string _controller;
    private readonly ResourceKey _key;
    private readonly TimeSpan _queued;
    private readonly DateTime _started;
    private readonly Lock _gate = new();
    private Activity? _span;
    private string? _changeResult;
    private bool _hasEnded;

    private ReconcileTrace(ChangeTracer tracer, string controller, ResourceKey key, TimeSpan queued)
    {
        _tracer = tracer;
        _controller = controller;
        _key = key;
        _queued = queued;
        _started = tracer.Time.GetUtcNow().UtcDateTime;
    }

    /// <summary>The reconcile that is running; null outside of one and in a host without tracing.</summary>
    public static ReconcileTrace? Current => Ambient.Value;

    /// <summary>The change that this reconcile is part of; null if there is none.</summary>
    public ChangeTrace? Change { get; private set; }

    /// <summary>Sets the result of the change, which ends after this reconcile.</summary>
    /// <param name="result">One of <see cref="ChangeResults"/>.</param>
    public void CompleteChange(string result) => _changeResult = result;

    /// <summary>Starts a reconcile; the caller's flow has it as <see cref="Current"/>.</summary>
    internal static ReconcileTrace Begin(ChangeTracer tracer, string controller, ResourceKey key, TimeSpan queued)
    {
        var trace = new ReconcileTrace(tracer, controller, key, queued);
        Ambient.Value = trace;
        return trace;
    }

    /// <summary>Makes this reconcile part of a change.</summary>
    internal void Join(ChangeTrace? change) => Change = change;

    /// <summary>Starts the trace of a change and makes this reconcile part of it.</summary>
    internal ChangeTrace StartChange(string kind, ResourceKey key, long generation, string? traceParent) =>
        Change = _tracer.Start(kind, key, generation, traceParent, _started);

    /// <summary>Starts the span of a write; null if there is no reconcile, or no traced change.</summary>
    /// <param name="operation">The verb.</param>
    /// <param name="cluster">The cluster of the object.</param>
    /// <param name="key">The object.</param>
    /// <param name="subresource">Its subresource, such as <c>status</c>; null for the object.</param>
    /// <param name="carriesContext">Whether the object carries the context to another process.</param>
    internal static WriteTrace? StartWrite<T>(
        string operation,
        Cluster cluster,
        ResourceKey key,
        string? subresource = null,
        bool carriesContext = false
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (Current is not { Change: { } change } current || current.Span() is not { } reconcile)
        {
            return null;
        }

        var kind = ResourceKind.Of<T>().Kind;
        var name = subresource is null ? $"{operation} {kind}" : $"{operation} {kind}/{subresource}";
        if (change.StartWrite(name, carriesContext ? ActivityKind.Producer : ActivityKind.Client, reconcile) is not { } span)
        {
            return null;
        }

        span.SetTag(SpanTags.Cluster, cluster.Name);
        span.SetTag(SpanTags.Namespace, key.Namespace.Length == 0 ? null : key.Namespace);
        span.SetTag(SpanTags.Kind, kind);
        span.SetTag(SpanTags.Name, key.Name);
        return new WriteTrace(change, span);
    }

    /// <summary>
    /// The context for an object that this reconcile writes: that of the write, that of a change that is not traced, or null without a
    /// change.
    /// </summary>
    internal static string? ContextOf(WriteTrace? write) =>
        write?.Context ?? (Current?.Change == ChangeTrace.NotSampled ? TraceParent.NotSampled() : null);

    /// <summary>Ends the reconcile, and its change if it is complete.</summary>
    /// <param name="result">The result, as in the metrics.</param>
    /// <param name="failure">The exception of the reconciler.</param>
    internal void End(string result, Exception? failure)
    {
        var span = failure is null or OperationCanceledException ? _span : Span();
        lock (_gate)
        {
            _hasEnded = true;
        }

        if (span is not null)
        {
            span.SetTag(SpanTags.Result, result);
            if (failure is not null)
            {
                SpanTags.SetError(span, failure);
            }

            Change!.Stop(span);
        }

        if (_changeResult is not null && failure is null)
        {
            Change?.End(_changeResult);
        }
    }

    // Work that outlives the reconcile, such as the sending of Events, has no span.
    private Activity? Span()
    {
        lock (_gate)
        {
            if (_span is null && !_hasEnded && Change?.StartReconcile($"reconcile {_controller}", _started) is { } span)
            {
                span.SetTag(SpanTags.Controller, _controller);
                span.SetTag(SpanTags.Namespace, _key.Namespace);
                span.SetTag(SpanTags.Name, _key.Name);
                span.SetTag(SpanTags.QueueDuration, _queued.TotalSeconds);
                _span = span;
            }

            return _hasEnded ? null : _span;
        }
    }
}

/// <summary>The span of a write.</summary>
internal sealed class WriteTrace(ChangeTrace change, Activity span) : IDisposable
{
    /// <summary>Its context, in the W3C format.</summary>
    public string Context => span.Id!;

    /// <summary>Sets the error of the write.</summary>
    /// <returns>False, for an exception filter.</returns>
    public bool Fail(Exception failure)
    {
        SpanTags.SetError(span, failure);
        return false;
    }

    /// <summary>Ends the span.</summary>
    public void Dispose() => change.Stop(span);
}
