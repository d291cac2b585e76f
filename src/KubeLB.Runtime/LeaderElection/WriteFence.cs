namespace KubeLB.Runtime.LeaderElection;

/// <summary>
/// Allows writes only while this process holds the lease: from a successful renewal until the renew deadline. The time is measured from the
/// request of the renewal, because the time at which the API server stored the renewal is unknown. Of the monotonic and the wall clock, the
/// one that advanced more is used, because the monotonic clock may stop while a machine is suspended. Other replicas acquire the lease only
/// after the lease duration, which is longer: a write in progress must end within the difference.
/// </summary>
/// <param name="time">The clocks.</param>
/// <param name="validity">How long a renewal is valid; null without leader election.</param>
internal sealed class WriteFence(TimeProvider time, TimeSpan? validity)
{
    private readonly Lock _gate = new();
    private ClockReading? _renewedAt;

    /// <summary>How long writes are still allowed; zero or negative if they are not allowed, infinite without leader election.</summary>
    public TimeSpan Remaining
    {
        get
        {
            if (validity is not { } limit)
            {
                return Timeout.InfiniteTimeSpan;
            }

            lock (_gate)
            {
                return _renewedAt is { } renewedAt ? limit - ElapsedSince(renewedAt) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Whether writes are allowed.</summary>
    public bool IsOpen => validity is null || Remaining > TimeSpan.Zero;

    /// <summary>Reads both clocks.</summary>
    public ClockReading Now() => new(time.GetTimestamp(), time.GetUtcNow());

    /// <summary>Opens the fence after a successful renewal.</summary>
    /// <param name="requestedAt">The time of the request.</param>
    public void Renew(ClockReading requestedAt)
    {
        lock (_gate)
        {
            _renewedAt = requestedAt;
        }
    }

    /// <summary>Closes the fence, because the lease is lost.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _renewedAt = null;
        }
    }

    /// <summary>Must be called before each write.</summary>
    /// <returns>How long the write may take; infinite without leader election.</returns>
    /// <exception cref="LeaseExpiredException">Another replica may hold the lease.</exception>
    public TimeSpan Enter(string verb, string resource)
    {
        // The validity is checked explicitly, because a remaining time of -1 ms equals Timeout.InfiniteTimeSpan.
        var remaining = Remaining;
        return validity is null || remaining > TimeSpan.Zero
            ? remaining
            : throw new LeaseExpiredException(
                $"Not sent: {verb} {resource}. The lease was not renewed in time, and another replica may be the leader."
            );
    }

    private TimeSpan ElapsedSince(ClockReading reading)
    {
        var monotonic = time.GetElapsedTime(reading.Monotonic);
        var wall = time.GetUtcNow() - reading.Wall;
        return monotonic > wall ? monotonic : wall;
    }

    /// <summary>A reading of the monotonic and of the wall clock.</summary>
    internal readonly record struct ClockReading(long Monotonic, DateTimeOffset Wall);
}

/// <summary>A write was not sent because this process may no longer be the leader. The key is requeued.</summary>
public sealed class LeaseExpiredException(string message) : Exception(message);
