using KubeLB.Runtime.LeaderElection;

namespace KubeLB.Runtime.Tests.LeaderElection;

public sealed class WriteFenceTests
{
    private static readonly TimeSpan Validity = TimeSpan.FromSeconds(7);

    private readonly TwoClocks _time = new();
    private readonly WriteFence _fence;

    public WriteFenceTests() => _fence = new WriteFence(_time, Validity);

    [Fact]
    public void Without_a_lease_to_hold_nothing_is_refused()
    {
        var open = new WriteFence(_time, validity: null);

        open.IsOpen.Should().BeTrue();
        open.Enter("create", "widgets").Should().Be(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void Before_the_first_renewal_every_write_is_refused() => Refused();

    [Fact]
    public void A_renewal_counts_from_when_it_was_asked_for()
    {
        var asked = _fence.Now();
        _time.Advance(TimeSpan.FromSeconds(5));
        _fence.Renewed(asked);

        _fence.Enter("create", "widgets").Should().Be(TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(2));
        Refused();
    }

    [Fact]
    public void A_lease_that_ran_out_a_millisecond_ago_is_not_taken_for_none_that_is_needed()
    {
        _fence.Renewed(_fence.Now());
        _time.Advance(Validity + TimeSpan.FromMilliseconds(1));

        Refused();
    }

    [Fact]
    public void An_answer_that_comes_after_the_deadline_opens_nothing()
    {
        var asked = _fence.Now();
        _time.Advance(Validity);
        _fence.Renewed(asked);

        Refused();
    }

    [Fact]
    public void A_monotonic_clock_that_stood_still_while_the_machine_slept_does_not_help()
    {
        _fence.Renewed(_fence.Now());
        _time.Wall += Validity;

        Refused();
    }

    [Fact]
    public void A_wall_clock_that_is_set_back_does_not_help_either()
    {
        _fence.Renewed(_fence.Now());
        _time.Advance(Validity);
        _time.Wall -= TimeSpan.FromHours(1);

        Refused();
    }

    [Fact]
    public void A_fence_that_was_closed_opens_with_the_next_renewal()
    {
        _fence.Renewed(_fence.Now());
        _fence.Close();
        Refused();

        _fence.Renewed(_fence.Now());
        _fence.IsOpen.Should().BeTrue();
    }

    private void Refused()
    {
        _fence.IsOpen.Should().BeFalse();
        FluentActions
            .Invoking(() => _fence.Enter("create", "widgets"))
            .Should()
            .Throw<LeaseExpiredException>()
            .WithMessage("*create widgets was not sent*");
    }

    /// <summary>A machine's two clocks, which need not agree.</summary>
    private sealed class TwoClocks : TimeProvider
    {
        public DateTimeOffset Wall { get; set; } = DateTimeOffset.UnixEpoch;

        private TimeSpan Monotonic { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Monotonic.Ticks;

        public override DateTimeOffset GetUtcNow() => Wall;

        public void Advance(TimeSpan time)
        {
            Monotonic += time;
            Wall += time;
        }
    }
}
