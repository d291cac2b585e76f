using System.Diagnostics;

namespace KubeLB.Ccm.Tests.Support;

/// <summary>Waits for conditions with a deadline.</summary>
public static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task<T> GetAsync<T>(string what, Func<Task<T>> probe, Func<T, bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var last = await probe();
            if (condition(last))
            {
                return last;
            }

            if (watch.Elapsed > Deadline)
            {
                throw new TimeoutException($"Not within {Deadline.TotalSeconds} s: {what}. Last seen: {last}");
            }

            await Task.Delay(Pause);
        }
    }

    public static Task HoldsAsync(string what, Func<bool> probe) => GetAsync(what, () => Task.FromResult(probe()), held => held);
}
