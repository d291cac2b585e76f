namespace KubeLB.Xds.Discovery;

/// <summary>
/// Schedules resending listeners that a client could not bind because the port was in use. Envoy rejects such a listener and does not
/// retry. Used by the loop of the stream; <paramref name="onDue"/> is called by a timer.
/// </summary>
internal sealed class ListenerRetry(XdsOptions options, TimeProvider time, Action onDue) : IDisposable
{
    // The message of Envoy: cannot bind '0.0.0.0:46012': Address already in use.
    private const string CannotBind = "cannot bind";

    private ITimer? _timer;
    private TimeSpan _delay = options.ListenerRetryDelay;

    private volatile bool _isDue;

    /// <summary>Whether a rejected listener should be retried.</summary>
    public static bool AppliesTo(XdsRejection rejection) =>
        rejection.TypeUrl == Resources.ResourceTypes.Listener && rejection.Message.Contains(CannotBind, StringComparison.OrdinalIgnoreCase);

    /// <summary>Schedules a retry, if none is scheduled.</summary>
    public void Schedule()
    {
        if (_timer is not null)
        {
            return;
        }

        _timer = time.CreateTimer(
            _ =>
            {
                _isDue = true;
                onDue();
            },
            null,
            _delay,
            Timeout.InfiniteTimeSpan
        );
        _delay = _delay * 2 < options.MaxListenerRetryDelay ? _delay * 2 : options.MaxListenerRetryDelay;
    }

    /// <summary>Cancels the retry and resets the delay, because the client accepted all listeners.</summary>
    public void Reset()
    {
        Dispose();
        _delay = options.ListenerRetryDelay;
    }

    /// <summary>Whether the retry is due. Returns true once per retry.</summary>
    public bool TryTakeDue()
    {
        if (!_isDue)
        {
            return false;
        }

        Dispose();
        return true;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _timer = null;
        _isDue = false;
    }
}
