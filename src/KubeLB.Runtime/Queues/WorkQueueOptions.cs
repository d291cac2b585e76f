namespace KubeLB.Runtime.Queues;

/// <summary>Backoff of a <see cref="WorkQueue{TKey}"/>.</summary>
public sealed record WorkQueueOptions
{
    /// <summary>Delay after the first failure; doubles with each further one. Default 5 milliseconds.</summary>
    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Largest delay, before jitter is taken off. Default 30 seconds.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Share of the delay, 0 to 1, that is random: the delay lies between <c>(1 - Jitter) · d</c> and <c>d</c>, so that keys which failed
    /// together do not return together. Default 0.25.
    /// </summary>
    public double Jitter { get; init; } = 0.25;
}
