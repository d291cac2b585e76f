using KubeLB.Runtime.LeaderElection;

namespace KubeLB.Runtime.Tests.LeaderElection;

public sealed class WriteFenceTests
{
    private static readonly TimeSpan Validity = TimeSpan.FromSeconds(7);

    private readonly TwoClocks _time = new();
    private readonly WriteFence _fence;

    public WriteFenceTests() => _fence = new WriteFence(_time, Validity);

    [Fact]
    public void Fence_without_leader_election_allows_all_writes()
    {
        var open = new WriteFence(_time, validity: null);

        open.IsOpen.Should().BeTrue();
        open.Enter("create", "widgets").Should().Be(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void Fence_before_the_first_renewal_rejects_writes() => AssertRejected();

    [Fact]
    public void Renewal_is_valid_from_its_request()
    {
        var requestedAt = _fence.Now();
        _time.Advance(TimeSpan.FromSeconds(5));
        _fence.Renew(requestedAt);

        _fence.Enter("create", "widgets").Should().Be(TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(2));
        AssertRejected();
    }

    [Fact]
    public void Lease_expired_by_one_millisecond_rejects_writes()
    {
        _fence.Renew(_fence.Now());
        _time.Advance(Validity + TimeSpan.FromMilliseconds(1));

        AssertRejected();
    }

    [Fact]
    public void Late_renewal_response_does_not_open_the_fence()
    {
        var requestedAt = _fence.Now();
        _time.Advance(Validity);
        _fence.Renew(requestedAt);

        AssertRejected();
    }

    [Fact]
    public void Stopped_monotonic_clock_does_not_extend_the_lease()
    {
        _fence.Renew(_fence.Now());
        _time.Wall += Validity;

        AssertRejected();
    }

    [Fact]
    public void Wall_clock_set_back_does_not_extend_the_lease()
    {
        _fence.Renew(_fence.Now());
        _time.Advance(Validity);
        _time.Wall -= TimeSpan.FromHours(1);

        AssertRejected();
    }

    [Fact]
    public void Closed_fence_opens_with_the_next_renewal()
    {
        _fence.Renew(_fence.Now());
        _fence.Close();
        AssertRejected();

        _fence.Renew(_fence.Now());
        _fence.IsOpen.Should().BeTrue();
    }

    private void AssertRejected()
    {
        _fence.IsOpen.Should().BeFalse();
        FluentActions
            .Invoking(() => _fence.Enter("create", "widgets"))
            .Should()
            .Throw<LeaseExpiredException>()
            .WithMessage("Not sent: create widgets.*");
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
