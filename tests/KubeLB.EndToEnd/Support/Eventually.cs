using System.Diagnostics;

namespace KubeLB.EndToEnd.Support;

/// <summary>Waits for conditions with a deadline.</summary>
public static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Waits until <paramref name="probe"/> gives a value that satisfies <paramref name="condition"/>, and returns it.</summary>
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

            await Task.Delay(Pause);
        }
    }

    /// <summary>Waits until <paramref name="probe"/> returns true.</summary>
    public static Task HoldsAsync(string what, Func<Task<bool>> probe) => GetAsync(what, probe, held => held);
}
