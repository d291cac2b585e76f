using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>Limits of list and watch. The defaults are those of client-go where it has any.</summary>
internal sealed record ReflectorSettings
{
    public int PageSize { get; init; } = 500;

    /// <summary>A watch is asked to end after a random time between these two, so that watches spread over API servers.</summary>
    public TimeSpan ShortestWatch { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan LongestWatch { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long after the time it was asked to end a silent watch is given up: its connection is dead.</summary>
    public TimeSpan WatchGrace { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan BackoffCap { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest delay while there is no API server: see <see cref="ApiOutage"/>.</summary>
    public TimeSpan OutageBackoffCap { get; init; } = ApiOutage.RetryWithin;

    /// <summary>So many watches that fail in a row are followed by a complete list.</summary>
    public int WatchFailuresBeforeList { get; init; } = 5;

    /// <summary>How long the watch has to explain why the API server's answer to a write contradicted the store.</summary>
    public TimeSpan DoubtGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The least time between a list and the next one that such an answer causes.</summary>
    public TimeSpan DoubtListPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How soon an optional kind that is not served is looked for again; twice as late each time.</summary>
    public TimeSpan AbsentPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How late an optional kind is looked for at most.</summary>
    public TimeSpan LongestAbsentPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Numbers from 0 (inclusive) to 1 (exclusive).</summary>
    public Func<double> Random { get; init; } = System.Random.Shared.NextDouble;
}
