namespace KubeLB.Manager.Tests.Routes;

/// <summary>A clock that goes on when the test says so.</summary>
internal sealed class PassingClock : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Pass(TimeSpan time) => _ticks += time.Ticks;
}
