using System.Diagnostics;

namespace KubeLB.Tests.Shared;

/// <summary>Waits for conditions with a deadline.</summary>
internal static class Eventually
{
    /// <summary>The default deadline.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    // A condition on memory costs nothing; a probe usually sends a request.
    private static readonly TimeSpan ConditionInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until the result of <paramref name="probe"/> satisfies <paramref name="condition"/>, and returns it.</summary>
    public static Task<T> GetAsync<T>(
        string what,
        Func<Task<T>> probe,
        Func<T, bool> condition,
        Func<T, string>? describe = null,
        TimeSpan? deadline = null
    ) => PollAsync(ProbeInterval, what, probe, condition, describe, deadline);

    /// <summary>Waits until <paramref name="condition"/> returns true.</summary>
    public static Task HoldsAsync(Func<bool> condition, string what, Func<string>? details = null) =>
        PollAsync(
            ConditionInterval,
            what,
            () => Task.FromResult(condition()),
            holds => holds,
            details is null ? null : _ => details(),
            deadline: null
        );

    /// <summary>Waits until <paramref name="condition"/> returns true.</summary>
    public static Task HoldsAsync(Func<Task<bool>> condition, string what) => GetAsync(what, condition, holds => holds);

    private static async Task<T> PollAsync<T>(
        TimeSpan interval,
        string what,
        Func<Task<T>> probe,
        Func<T, bool> condition,
        Func<T, string>? describe,
        TimeSpan? deadline
    )
    {
        var watch = Stopwatch.StartNew();
        var limit = deadline ?? Deadline;
        while (true)
        {
            var last = await probe();
            if (condition(last))
            {
                return last;
            }

            if (watch.Elapsed > limit)
            {
                throw new TimeoutException(
                    $"Not within {limit.TotalSeconds} s: {what}. Last seen: {(describe is null ? $"{last}" : describe(last))}"
                );
            }

            await Task.Delay(interval);
        }
    }
}
