using System.Runtime.CompilerServices;
using KubeLB.EmbeddedCluster;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>The last log lines of a container instance.</summary>
internal sealed class ContainerLog
{
    private const int Lines = 10_000;

    private readonly Lock _gate = new();
    private readonly Queue<PodLogLine> _lines = new();
    private TaskCompletionSource _changed = NewSignal();
    private long _count;
    private bool _isClosed;

    /// <summary>Adds a line.</summary>
    public void Add(string text)
    {
        lock (_gate)
        {
            _lines.Enqueue(new PodLogLine(DateTimeOffset.UtcNow, text));
            _count++;
            if (_lines.Count > Lines)
            {
                _lines.Dequeue();
            }

            NotifyReaders();
        }
    }

    /// <summary>Marks the end of the log.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            NotifyReaders();
        }
    }

    /// <summary>The current lines.</summary>
    public IReadOnlyList<PodLogLine> Snapshot()
    {
        lock (_gate)
        {
            return [.. _lines];
        }
    }

    /// <summary>The lines of a log request.</summary>
    public async IAsyncEnumerable<PodLogLine> ReadAsync(PodLogRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = 0L;
        var isFirst = true;
        while (true)
        {
            List<PodLogLine> lines;
            Task changed;
            bool isClosed;
            lock (_gate)
            {
                var oldest = _count - _lines.Count;
                lines = [.. _lines.Skip((int)Math.Max(0, next - oldest)).Where(l => request.Since is not { } since || l.Time >= since)];
                (next, changed, isClosed) = (_count, _changed.Task, _isClosed);
            }

            foreach (var line in isFirst && request.TailLines is { } tail ? lines.TakeLast(tail) : lines)
            {
                yield return line;
            }

            isFirst = false;
            if (!request.Follow || isClosed)
            {
                yield break;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void NotifyReaders()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
