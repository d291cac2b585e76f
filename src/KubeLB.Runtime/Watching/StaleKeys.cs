using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// Keys whose stored object conflicts with the API server's response to a write. Usually another client wrote first, and a watch event
/// follows that updates the store. If no event arrives within a grace period, the store differs from the API server, for example after its
/// storage was restored from a backup, and a complete list is required. Thread-safe.
/// </summary>
/// <param name="settings">Grace period, and the minimum time between two lists.</param>
/// <param name="time">The clock.</param>
/// <param name="onListRequired">Called when a list is required, with one of the keys.</param>
internal sealed class StaleKeys(ReflectorSettings settings, TimeProvider time, Action<ResourceKey> onListRequired) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<ResourceKey> _keys = [];
    private ITimer? _timer;
    private long? _listedAt;
    private bool _disposed;

    public void Add(ResourceKey key)
    {
        lock (_gate)
        {
            if (!_disposed && _keys.Add(key) && _keys.Count == 1)
            {
                var pause = _listedAt is { } at ? settings.MinRelistInterval - time.GetElapsedTime(at) : TimeSpan.Zero;
                SetTimer(pause > settings.StaleKeyGracePeriod ? pause : settings.StaleKeyGracePeriod);
            }
        }
    }

    /// <summary>Removes a key, after a watch event for it.</summary>
    public void Remove(ResourceKey key)
    {
        lock (_gate)
        {
            if (_keys.Remove(key) && _keys.Count == 0)
            {
                SetTimer(Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Removes all keys, after a complete list.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _listedAt = time.GetTimestamp();
            if (_keys.Count > 0)
            {
                _keys.Clear();
                SetTimer(Timeout.InfiniteTimeSpan);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private void SetTimer(TimeSpan delay)
    {
        _timer ??= time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void Fire()
    {
        ResourceKey key;
        lock (_gate)
        {
            if (_disposed || _keys.Count == 0)
            {
                return;
            }

            key = _keys.First();
        }

        onListRequired(key);
    }
}
