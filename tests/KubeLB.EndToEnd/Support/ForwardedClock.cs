namespace KubeLB.EndToEnd.Support;

/// <summary>The system's clock, put forward by a test. Timers keep the system's.</summary>
public sealed class ForwardedClock : TimeProvider
{
    private long _ticks;

    /// <summary>How far it was put forward.</summary>
    public TimeSpan Forwarded => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

    public void Forward(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Forwarded;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Forwarded.TotalSeconds * TimestampFrequency);
}
