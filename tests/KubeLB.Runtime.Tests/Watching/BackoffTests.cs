using CsCheck;
using KubeLB.Runtime.Watching;

namespace KubeLB.Runtime.Tests.Watching;

public sealed class BackoffTests
{
    [Fact]
    public void Delays_lie_between_zero_and_a_bound_that_doubles_up_to_the_cap() =>
        Gen.Double[0, 0.999999].Array[1, 40].Sample(draws =>
        {
            var next = 0;
            var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), () => draws[next]);
            for (; next < draws.Length; next++)
            {
                var bound = Math.Min(100 * Math.Pow(2, next), 5000);
                backoff.Next().TotalMilliseconds.Should().BeInRange(0, bound).And.BeApproximately(bound * draws[next], 0.01);
            }
        });

    [Fact]
    public void A_success_starts_over()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), () => 1);
        backoff.Next();
        backoff.Next().TotalMilliseconds.Should().Be(200);
        backoff.Reset();
        backoff.Next().TotalMilliseconds.Should().Be(100);
    }
}
