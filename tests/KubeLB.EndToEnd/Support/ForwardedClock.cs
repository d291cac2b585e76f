namespace KubeLB.EndToEnd.Support;

/// <summary>The system clock with an offset that a test sets. Timers use the system clock.</summary>
public sealed class ForwardedClock : TimeProvider
{
    private long _ticks;

    /// <summary>The offset.</summary>
    public TimeSpan Forwarded => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

    public void Forward(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Forwarded;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Forwarded.TotalSeconds * TimestampFrequency);
}
