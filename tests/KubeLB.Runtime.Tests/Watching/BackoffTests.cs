using CsCheck;
using KubeLB.Runtime.Watching;

namespace KubeLB.Runtime.Tests.Watching;

public sealed class BackoffTests
{
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(5);

    [Fact]
    public void Delays_are_between_zero_and_a_doubling_limit() =>
        Gen.Double[0, 0.999999]
            .Array[1, 40]
            .Sample(draws =>
            {
                var next = 0;
                var backoff = new Backoff(TimeSpan.FromMilliseconds(100), () => draws[next]);
                for (; next < draws.Length; next++)
                {
                    var bound = Math.Min(100 * Math.Pow(2, next), 5000);
                    backoff.Next(Cap).TotalMilliseconds.Should().BeInRange(0, bound).And.BeApproximately(bound * draws[next], 0.01);
                }
            });

    [Fact]
    public void Reset_restarts_the_backoff()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), () => 1);
        backoff.Next(Cap);
        backoff.Next(Cap).TotalMilliseconds.Should().Be(200);
        backoff.Reset();
        backoff.Next(Cap).TotalMilliseconds.Should().Be(100);
    }

    [Fact]
    public void Failures_with_a_low_cap_limit_the_next_delay()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(500), () => 1);
        var outage = Enumerable.Range(0, 20).Select(_ => backoff.Next(TimeSpan.FromSeconds(2))).ToList();
        outage.Take(3).Select(d => d.TotalSeconds).Should().Equal(0.5, 1, 2);
        outage.Should().OnlyContain(d => d <= TimeSpan.FromSeconds(2));
        backoff.Next(TimeSpan.FromSeconds(30)).Should().BeLessThanOrEqualTo(TimeSpan.FromSeconds(4));
    }
}
