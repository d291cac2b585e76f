using KubeLB.Runtime.Metrics;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>The present state of leadership in this host.</summary>
internal sealed class Leadership(RuntimeMetrics metrics) : ILeadership, IDisposable
{
    private static readonly CancellationToken Never = new(canceled: true);

    private readonly Lock _gate = new();
    private CancellationTokenSource? _term;
    private TaskCompletionSource _leading = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsLeader
    {
        get
        {
            lock (_gate)
            {
                return _term is not null;
            }
        }
    }

    public CancellationToken LeadershipToken
    {
        get
        {
            lock (_gate)
            {
                return _term?.Token ?? Never;
            }
        }
    }

    public Task WaitUntilLeadingAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _leading.Task.WaitAsync(cancellationToken);
        }
    }

    public void Begin()
    {
        lock (_gate)
        {
            if (_term is null)
            {
                _term = new CancellationTokenSource();
                _leading.TrySetResult();
                metrics.Leader(true);
            }
        }
    }

    /// <returns>False if this process did not lead.</returns>
    public bool End()
    {
        CancellationTokenSource? ended;
        lock (_gate)
        {
            ended = _term;
            if (ended is null)
            {
                return false;
            }

            _term = null;
            _leading = new(TaskCreationOptions.RunContinuationsAsynchronously);
            metrics.Leader(false);
        }

        // Not disposed: its token is in the hands of reconcilers.
        ended.Cancel();
        return true;
    }

    public void Dispose() => End();
}
