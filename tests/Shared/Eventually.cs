using System.Diagnostics;

namespace KubeLB.Tests.Shared;

/// <summary>Waits for conditions with a deadline.</summary>
internal static class Eventually
{
    /// <summary>The default deadline.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until the result of <paramref name="probe"/> satisfies <paramref name="condition"/>, and returns it.</summary>
    public static async Task<T> GetAsync<T>(
        string what,
        Func<Task<T>> probe,
        Func<T, bool> condition,
        Func<T, string>? describe = null,
        TimeSpan? deadline = null
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

            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Waits until <paramref name="condition"/> returns true.</summary>
    public static Task HoldsAsync(Func<bool> condition, string what, Func<string>? details = null) =>
        GetAsync(what, () => Task.FromResult(condition()), holds => holds, details is null ? null : _ => details());

    /// <summary>Waits until <paramref name="condition"/> returns true.</summary>
    public static Task HoldsAsync(Func<Task<bool>> condition, string what) => GetAsync(what, condition, holds => holds);
}
