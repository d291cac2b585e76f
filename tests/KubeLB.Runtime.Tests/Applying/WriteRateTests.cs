using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Applying;

[Trait("Threat", "many-statuses")]
public sealed class WriteRateTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Writes_beyond_the_burst_are_delayed_until_their_time()
    {
        var rate = Rate(objects: 2, namespaces: 100);

        Request(rate, "a").Should().BeNull();
        Request(rate, "a").Should().BeNull();
        Request(rate, "a").Should().Be(Second);

        // Further changes keep the time of the delayed write, whose caller writes the last state.
        _clock.Advance(TimeSpan.FromMilliseconds(400));
        Request(rate, "a").Should().Be(TimeSpan.FromMilliseconds(600));
        _clock.Advance(TimeSpan.FromMilliseconds(600));
        Request(rate, "a").Should().BeNull();
        Request(rate, "a").Should().Be(Second);
    }

    [Fact]
    public void Clock_that_is_set_back_does_not_delay_a_write()
    {
        var clock = new AdjustedClock(_clock);
        var rate = new WriteRate(clock, new WriteLimit(1, Second), new WriteLimit(100, Second));
        Request(rate, "a").Should().BeNull();
        Request(rate, "a").Should().Be(Second);

        clock.Adjustment = TimeSpan.FromHours(-1);
        _clock.Advance(Second);

        Request(rate, "a").Should().BeNull();
    }

    [Fact]
    public void Constantly_changing_object_is_written_once_per_interval()
    {
        var rate = Rate(objects: 5, namespaces: 100);
        var writes = 0;
        for (var i = 0; i < 50 * 60; i++)
        {
            writes += Request(rate, "a") is null ? 1 : 0;
            _clock.Advance(TimeSpan.FromMilliseconds(20));
        }

        writes.Should().BeInRange(60, 66);
    }

    [Fact]
    public void Delayed_objects_of_a_namespace_are_written_in_their_order()
    {
        var rate = Rate(objects: 10, namespaces: 2);
        var keys = Enumerable.Range(0, 5).Select(i => $"o{i}").ToList();

        keys.ConvertAll(k => Request(rate, k)).Should().Equal(new TimeSpan?[] { null, null, Second, 2 * Second, 3 * Second });
        _clock.Advance(Second);
        keys.Skip(2).Select(k => Request(rate, k)).Should().Equal(new TimeSpan?[] { null, Second, 2 * Second });
        _clock.Advance(2 * Second);
        keys.Skip(3).Select(k => Request(rate, k)).Should().Equal(new TimeSpan?[] { null, null });
        rate.Delayed.Should().Be(0);
    }

    [Fact]
    public void Other_namespaces_and_kinds_are_independent()
    {
        var rate = Rate(objects: 1, namespaces: 2);

        Request(rate, "a").Should().BeNull();
        rate.TimeLeft("Other", new ResourceKey("team", "a")).Should().BeNull();
        rate.TimeLeft("Widget", new ResourceKey("team", "b")).Should().Be(Second);
        rate.TimeLeft("Widget", new ResourceKey("other", "a")).Should().BeNull();
    }

    [Fact]
    public void Forgotten_object_leaves_no_state()
    {
        var rate = Rate(objects: 1, namespaces: 100);
        Request(rate, "a");
        Request(rate, "a").Should().NotBeNull();

        rate.Forget("Widget", new ResourceKey("team", "a"));

        rate.Delayed.Should().Be(0);
    }

    private WriteRate Rate(int objects, int namespaces) => new(_clock, new WriteLimit(objects, Second), new WriteLimit(namespaces, Second));

    private static TimeSpan? Request(WriteRate rate, string name) => rate.TimeLeft("Widget", new ResourceKey("team", name));

    // FakeTimeProvider adjusts its timestamps as well.
    private sealed class AdjustedClock(FakeTimeProvider monotonic) : TimeProvider
    {
        public TimeSpan Adjustment { get; set; }

        public override long TimestampFrequency => monotonic.TimestampFrequency;

        public override long GetTimestamp() => monotonic.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => monotonic.GetUtcNow() + Adjustment;
    }
}
