using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Controllers;

public sealed class DelayTrackerTests
{
    private static readonly ResourceKey Key = new("ns", "a");
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly DelayTracker _delays;

    public DelayTrackerTests() => _delays = new DelayTracker(_time);

    [Fact]
    public void Delay_starts_with_the_first_call_and_stays_expired()
    {
        _delays.Left(Key, "x", Limit).Should().Be(Limit);
        _time.Advance(TimeSpan.FromSeconds(4));
        _delays.Left(Key, "x", Limit).Should().Be(TimeSpan.FromSeconds(6));
        _time.Advance(TimeSpan.FromSeconds(6));
        _delays.Left(Key, "x", Limit).Should().BeNull();
        _delays.Left(Key, "x", Limit).Should().BeNull();
    }

    [Fact]
    public void Another_reason_or_an_end_starts_another_delay()
    {
        _delays.Left(Key, "x", Limit);
        _time.Advance(Limit);
        _delays.Left(Key, "y", Limit).Should().Be(Limit);
        _time.Advance(Limit);
        _delays.End(Key);
        _delays.Left(Key, "y", Limit).Should().Be(Limit);
    }

    [Fact]
    public void Changed_wall_clock_does_not_affect_delays()
    {
        var time = new SettableClock();
        var delays = new DelayTracker(time);
        delays.Left(Key, "x", Limit);
        time.Now += TimeSpan.FromDays(1);
        delays.Left(Key, "x", Limit).Should().Be(Limit);
        time.Now -= TimeSpan.FromDays(2);
        delays.Left(Key, "x", Limit).Should().Be(Limit);
    }

    [Fact]
    public void Expired_delays_are_removed()
    {
        for (var i = 0; i < DelayTracker.CleanupThreshold - 1; i++)
        {
            _delays.Left(new ResourceKey("ns", $"old-{i}"), "x", Limit);
        }

        _time.Advance(TimeSpan.FromHours(2));
        _delays.Left(Key, "x", Limit).Should().Be(Limit);
        _delays.Count.Should().Be(1);
    }

    private sealed class SettableClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => 1;
    }
}
