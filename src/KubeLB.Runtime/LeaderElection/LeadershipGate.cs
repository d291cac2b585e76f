namespace KubeLB.Runtime.LeaderElection;

/// <summary>
/// Leadership with a further condition: the gate must be open. Used for controllers that must not write before the condition is met
/// (<see cref="Hosting.ControllerBuilder.Leadership"/>). Initially closed. Thread-safe.
/// </summary>
/// <param name="leadership">The leadership of this process.</param>
public sealed class LeadershipGate(ILeadership leadership) : ILeadership, IDisposable
{
    private static readonly CancellationToken Never = new(canceled: true);

    private readonly Lock _lock = new();
    private TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _open;
    private CancellationTokenSource? _term;
    private CancellationToken _leading;

    /// <summary>Whether the gate is open, independent of the leadership.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock)
            {
                return _open is not null;
            }
        }
    }

    /// <inheritdoc />
    public bool IsLeader => IsOpen && leadership.IsLeader;

    /// <inheritdoc />
    public CancellationToken LeadershipToken
    {
        get
        {
            lock (_lock)
            {
                var leading = leadership.LeadershipToken;
                if (_open is null || leading.IsCancellationRequested)
                {
                    return Never;
                }

                if (_term is null || _leading != leading)
                {
                    // The previous source is not disposed, because reconcilers may still use its token.
                    _leading = leading;
                    _term = CancellationTokenSource.CreateLinkedTokenSource(leading, _open.Token);
                }

                return _term.Token;
            }
        }
    }

    /// <inheritdoc />
    public async Task WaitUntilLeadingAsync(CancellationToken cancellationToken)
    {
        do
        {
            await leadership.WaitUntilLeadingAsync(cancellationToken).ConfigureAwait(false);
            Task opened;
            lock (_lock)
            {
                opened = _opened.Task;
            }

            await opened.WaitAsync(cancellationToken).ConfigureAwait(false);
        } while (!IsLeader);
    }

    /// <summary>Opens the gate.</summary>
    /// <returns>False if it was already open.</returns>
    public bool Open()
    {
        lock (_lock)
        {
            if (_open is not null)
            {
                return false;
            }

            _open = new CancellationTokenSource();
            return _opened.TrySetResult();
        }
    }

    /// <summary>Closes the gate and cancels running reconciles.</summary>
    /// <returns>False if it was already closed.</returns>
    public bool Close()
    {
        CancellationTokenSource? ended;
        lock (_lock)
        {
            ended = _open;
            if (ended is null)
            {
                return false;
            }

            _open = null;
            _term = null;
            _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        ended.Cancel();
        return true;
    }

    /// <inheritdoc />
    public void Dispose() => Close();
}
