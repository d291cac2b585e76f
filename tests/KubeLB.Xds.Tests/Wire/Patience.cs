namespace KubeLB.Xds.Tests.Wire;

/// <summary>Waiting with an end.</summary>
internal static class Patience
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    public static async Task UntilAsync(Func<bool> condition, string what, Func<string>? circumstances = null)
    {
        var deadline = DateTime.UtcNow + Long;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
            {
                throw new TimeoutException($"Not within {Long.TotalSeconds} s: {what}\n{circumstances?.Invoke()}");
            }

            await Task.Delay(10);
        }
    }
}
