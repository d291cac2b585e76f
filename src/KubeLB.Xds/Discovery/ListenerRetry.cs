namespace KubeLB.Xds.Discovery;

/// <summary>
/// Says when to send listeners again that a client could not bind because something else had the port. Envoy rejects such a listener and
/// does not try again by itself. For the stream's loop; the alarm comes from a timer.
/// </summary>
internal sealed class ListenerRetry(XdsOptions options, TimeProvider time, Action alarm) : IDisposable
{
    // What Envoy writes: cannot bind '0.0.0.0:46012': Address already in use.
    private const string CannotBind = "cannot bind";

    private ITimer? _timer;
    private TimeSpan _delay = options.ListenerRetryDelay;

    /// <summary>The alarm has gone off and was not looked at yet.</summary>
    private volatile bool _isDue;

    /// <summary>Whether a rejection is worth another attempt.</summary>
    public static bool Concerns(XdsRejection rejection) =>
        rejection.TypeUrl == Resources.ResourceTypes.Listener && rejection.Message.Contains(CannotBind, StringComparison.OrdinalIgnoreCase);

    /// <summary>The client could not bind a listener.</summary>
    public void Begin()
    {
        if (_timer is not null)
        {
            return;
        }

        _timer = time.CreateTimer(
            _ =>
            {
                _isDue = true;
                alarm();
            },
            null,
            _delay,
            Timeout.InfiniteTimeSpan
        );
        _delay = _delay * 2 < options.MaxListenerRetryDelay ? _delay * 2 : options.MaxListenerRetryDelay;
    }

    /// <summary>The client has bound all of its listeners.</summary>
    public void Succeeded()
    {
        Dispose();
        _delay = options.ListenerRetryDelay;
    }

    /// <summary>Whether listeners are to be sent again now. Says so once.</summary>
    public bool TakeDue()
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
