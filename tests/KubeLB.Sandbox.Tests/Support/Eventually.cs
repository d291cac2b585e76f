namespace KubeLB.Sandbox.Tests.Support;

/// <summary>Waits for conditions with a deadline.</summary>
internal static class Eventually
{
    public static async Task BeAsync(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            deadline.IsCancellationRequested.Should().BeFalse("{0} should have come true", what);
            await Task.Delay(10);
        }
    }
}
