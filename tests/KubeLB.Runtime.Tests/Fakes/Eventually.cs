using System.Diagnostics;

namespace KubeLB.Runtime.Tests.Fakes;

/// <summary>Waits for conditions instead of sleeping.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static Task True(Func<bool> condition, string what) => True(() => Task.FromResult(condition()), what);

    public static async Task True(Func<Task<bool>> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > Deadline)
            {
                throw new TimeoutException($"Still not so after {Deadline.TotalSeconds} s: {what}");
            }

            await Task.Delay(5);
        }
    }
}
