using KubeLB.Runtime.Queues;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Queues;

public sealed class WorkQueueTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Key_added_twice_is_dequeued_once()
    {
        using var queue = Create();
        queue.Add("a");
        queue.Add("a");
        queue.Add("b");
        queue.Depth.Should().Be(2);
        (await Take(queue)).Should().Be("a");
        (await Take(queue)).Should().Be("b");
        queue.Depth.Should().Be(0);
    }

    [Fact]
    [Trait("Threat", "many-updates")]
    public async Task Key_added_while_processed_is_requeued_once_afterwards()
    {
        using var queue = Create();
        queue.Add("a");
        await Take(queue);
        queue.Add("a");
        queue.Add("a");
        queue.Depth.Should().Be(0);

        queue.Done("a");
        queue.Depth.Should().Be(1);
        (await Take(queue)).Should().Be("a");
        queue.Done("a");
        queue.Depth.Should().Be(0);
    }

    [Fact]
    public void Delayed_key_is_queued_exactly_when_due()
    {
        using var queue = Create();
        queue.AddAfter("a", TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(9.999));
        queue.Depth.Should().Be(0);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        queue.Depth.Should().Be(1);
    }

    [Fact]
    public async Task Earliest_of_several_delays_is_used()
    {
        using var queue = Create();
        queue.AddAfter("a", TimeSpan.FromSeconds(30));
        queue.AddAfter("a", TimeSpan.FromSeconds(10));
        queue.AddAfter("a", TimeSpan.FromSeconds(20));
        _time.Advance(TimeSpan.FromSeconds(10));
        (await Take(queue)).Should().Be("a");
        queue.Done("a");
        _time.Advance(TimeSpan.FromSeconds(60));
        queue.Depth.Should().Be(0);
    }

    [Fact]
    public void Non_positive_delay_adds_at_once()
    {
        using var queue = Create();
        queue.AddAfter("a", TimeSpan.Zero);
        queue.AddAfter("b", TimeSpan.FromSeconds(-1));
        queue.Depth.Should().Be(2);
    }

    [Fact]
    public void Backoff_doubles_up_to_the_maximum_and_is_reset_by_Forget()
    {
        using var queue = Create(
            new WorkQueueOptions
            {
                BaseDelay = TimeSpan.FromMilliseconds(5),
                MaxDelay = TimeSpan.FromMilliseconds(30),
                Jitter = 0,
            }
        );
        double[] delays = [.. Enumerable.Range(0, 5).Select(_ => queue.AddRateLimited("a").TotalMilliseconds)];
        delays.Should().Equal(5, 10, 20, 30, 30);
        queue.Failures("a").Should().Be(5);
        queue.AddRateLimited("b").TotalMilliseconds.Should().Be(5, "keys fail on their own account");

        queue.Forget("a");
        queue.Failures("a").Should().Be(0);
        queue.AddRateLimited("a").TotalMilliseconds.Should().Be(5);
    }

    [Fact]
    public void Default_backoff_is_at_most_thirty_seconds()
    {
        using var queue = Create(random: () => 0);
        var delays = Enumerable.Range(0, 100).Select(_ => queue.AddRateLimited("a")).ToList();
        delays[0].Should().Be(TimeSpan.FromMilliseconds(5));
        delays.Should().BeInAscendingOrder();
        delays[^1].Should().Be(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Limited_backoff_leaves_the_next_delay_at_twice_the_limit()
    {
        using var queue = Create(random: () => 0);
        var limit = TimeSpan.FromSeconds(2);
        var delays = Enumerable.Range(0, 100).Select(_ => queue.AddRateLimited("a", limit)).ToList();
        delays[0].Should().Be(TimeSpan.FromMilliseconds(5));
        delays[^1].Should().Be(limit);
        queue.Failures("a").Should().Be(100);
        queue.AddRateLimited("a").Should().BeLessThanOrEqualTo(2 * limit);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(0.5, 80)]
    [InlineData(0.999999, 60)]
    public void Jitter_reduces_a_delay_by_its_fraction_at_most(double random, double milliseconds)
    {
        using var queue = Create(new WorkQueueOptions { BaseDelay = TimeSpan.FromMilliseconds(100), Jitter = 0.4 }, () => random);
        queue.AddRateLimited("a").TotalMilliseconds.Should().BeApproximately(milliseconds, 0.01);
    }

    [Fact]
    public async Task Shutdown_stops_dequeuing_and_waits_for_processing_keys()
    {
        using var queue = Create();
        queue.Add("working");
        await Take(queue);
        queue.Add("waiting");
        queue.AddAfter("delayed", TimeSpan.FromSeconds(1));
        queue.ShutDown();

        (await queue.TakeAsync(default)).Taken.Should().BeFalse();
        queue.Add("late");
        _time.Advance(TimeSpan.FromMinutes(1));
        (await queue.TakeAsync(default)).Taken.Should().BeFalse();

        var drained = queue.DrainedAsync(default);
        drained.IsCompleted.Should().BeFalse();
        queue.Done("working");
        await drained.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Waiting_worker_is_released_by_cancellation_and_shutdown()
    {
        using var queue = Create();
        using var cancel = new CancellationTokenSource();
        var cancelled = queue.TakeAsync(cancel.Token).AsTask();
        var ended = queue.TakeAsync(default).AsTask();
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => cancelled).Should().ThrowAsync<OperationCanceledException>();
        queue.ShutDown();
        (await ended.WaitAsync(TimeSpan.FromSeconds(20))).Taken.Should().BeFalse();
    }

    [Fact]
    public void Done_without_take_throws()
    {
        using var queue = Create();
        queue.Add("a");
        FluentActions.Invoking(() => queue.Done("a")).Should().Throw<InvalidOperationException>();
    }

    private WorkQueue<string> Create(WorkQueueOptions? options = null, Func<double>? random = null) => new(options, _time, random);

    private static async Task<string> Take(WorkQueue<string> queue)
    {
        var (taken, key) = await queue.TakeAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        taken.Should().BeTrue();
        return key;
    }
}
