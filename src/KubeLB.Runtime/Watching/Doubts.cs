using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Watching;

/// <summary>
/// Keys of which the API server's answer to a write contradicted the store. Ordinarily somebody else was faster, and the watch says so in a
/// moment, which settles it. What the watch says nothing about after a grace period needs a complete list: the store is not what the API
/// server has, as after a restore of its storage from a backup. Thread-safe.
/// </summary>
/// <param name="settings">Grace period, and the pause between two lists.</param>
/// <param name="time">The clock.</param>
/// <param name="due">Called when a list is due, with a key that needs it.</param>
internal sealed class Doubts(ReflectorSettings settings, TimeProvider time, Action<ResourceKey> due) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<ResourceKey> _keys = [];
    private ITimer? _timer;
    private long? _listed;
    private bool _disposed;

    public void Add(ResourceKey key)
    {
        lock (_gate)
        {
            if (!_disposed && _keys.Add(key) && _keys.Count == 1)
            {
                var pause = _listed is { } listed ? settings.DoubtListPause - time.GetElapsedTime(listed) : TimeSpan.Zero;
                Arm(pause > settings.DoubtGrace ? pause : settings.DoubtGrace);
            }
        }
    }

    /// <summary>The watch has news of a key.</summary>
    public void Settle(ResourceKey key)
    {
        lock (_gate)
        {
            if (_keys.Remove(key) && _keys.Count == 0)
            {
                Arm(Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>A complete list has replaced the store.</summary>
    public void Listed()
    {
        lock (_gate)
        {
            _listed = time.GetTimestamp();
            if (_keys.Count > 0)
            {
                _keys.Clear();
                Arm(Timeout.InfiniteTimeSpan);
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

    private void Arm(TimeSpan delay)
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

        due(key);
    }
}
