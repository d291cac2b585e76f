namespace KubeLB.Runtime.LeaderElection;

/// <summary>
/// Lets writes out of this process only while the lease is certainly ours: until the renew deadline after the last renewal that was asked
/// for with success. Counted from the asking, because nobody knows when the API server counted it; and by whichever of the two clocks
/// went further, because the monotonic one may stand still while a machine sleeps. Other replicas take over a lease duration after the
/// renewal, which is longer: the difference is the time that a write on its way has.
/// </summary>
/// <param name="time">The clocks.</param>
/// <param name="validity">How long a renewal is good for; null where no lease is needed.</param>
internal sealed class WriteFence(TimeProvider time, TimeSpan? validity)
{
    private readonly Lock _gate = new();
    private Moment? _renewed;

    /// <summary>How long writes may still go out; not positive if they may not, infinite where no lease is needed.</summary>
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
                return _renewed is { } renewed ? limit - Since(renewed) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Whether writes may go out.</summary>
    public bool IsOpen => validity is null || Remaining > TimeSpan.Zero;

    /// <summary>Both clocks.</summary>
    public Moment Now() => new(time.GetTimestamp(), time.GetUtcNow());

    /// <summary>A renewal succeeded.</summary>
    /// <param name="asked">When it was asked for.</param>
    public void Renewed(Moment asked)
    {
        lock (_gate)
        {
            _renewed = asked;
        }
    }

    /// <summary>The lease is not ours any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _renewed = null;
        }
    }

    /// <summary>To be called before each write.</summary>
    /// <returns>How long the write may take; infinite where no lease is needed.</returns>
    /// <exception cref="LeaseExpiredException">The lease may be another's by now.</exception>
    public TimeSpan Enter(string verb, string resource)
    {
        // A lease that ran out a millisecond ago must not look like none that is needed: infinity is -1 ms.
        var remaining = Remaining;
        return validity is null || remaining > TimeSpan.Zero
            ? remaining
            : throw new LeaseExpiredException(
                $"The lease was not renewed in time, so {verb} {resource} was not sent: another replica may lead by now."
            );
    }

    private TimeSpan Since(Moment moment)
    {
        var monotonic = time.GetElapsedTime(moment.Timestamp);
        var wall = time.GetUtcNow() - moment.Wall;
        return monotonic > wall ? monotonic : wall;
    }

    /// <summary>A moment by both clocks.</summary>
    internal readonly record struct Moment(long Timestamp, DateTimeOffset Wall);
}
