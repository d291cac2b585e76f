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
    public void Delay_counts_down_from_the_first_call_and_stays_over()
    {
        _delays.Left(Key, "x", Limit).Should().Be(Limit);
        _time.Advance(TimeSpan.FromSeconds(4));
        _delays.Left(Key, "x", Limit).Should().Be(TimeSpan.FromSeconds(6));
        _time.Advance(TimeSpan.FromSeconds(6));
        _delays.Left(Key, "x", Limit).Should().BeNull();
        _delays.Left(Key, "x", Limit).Should().BeNull();
    }

    [Fact]
    public void Another_word_or_an_end_begins_another_delay()
    {
        _delays.Left(Key, "x", Limit);
        _time.Advance(Limit);
        _delays.Left(Key, "y", Limit).Should().Be(Limit);
        _time.Advance(Limit);
        _delays.End(Key);
        _delays.Left(Key, "y", Limit).Should().Be(Limit);
    }

    [Fact]
    public void Wall_clock_that_is_set_back_or_forward_changes_nothing()
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
    public void Delays_that_are_long_over_are_forgotten()
    {
        for (var i = 0; i < DelayTracker.CleanAt - 1; i++)
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
