using KubeLB.Runtime.Metrics;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>Whether this process may write. Without leader election it is the leader while the host runs.</summary>
public interface ILeadership
{
    /// <summary>True while this process holds the lease.</summary>
    bool IsLeader { get; }

    /// <summary>Cancelled when the current leadership ends; already cancelled while this process is not the leader.</summary>
    CancellationToken LeadershipToken { get; }

    /// <summary>Completes when this process is the leader.</summary>
    Task WaitUntilLeadingAsync(CancellationToken cancellationToken);
}

/// <summary>The current leadership of this host.</summary>
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

    /// <returns>False if this process was not the leader.</returns>
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

        // Not disposed, because reconcilers may still use its token.
        ended.Cancel();
        return true;
    }

    public void Dispose() => End();
}
