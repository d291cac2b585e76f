namespace KubeLB.EmbeddedCluster;

/// <summary>Provides the log of a container.</summary>
/// <param name="request">The request.</param>
/// <param name="cancellationToken">Cancelled when the client disconnects or the server stops.</param>
/// <exception cref="PodLogException">There is no log; the message is returned to the client.</exception>
public delegate IAsyncEnumerable<PodLogLine> PodLogSource(PodLogRequest request, CancellationToken cancellationToken);

/// <summary>A request for the log of a container.</summary>
/// <param name="Namespace">Namespace of the pod.</param>
/// <param name="Pod">Name of the pod.</param>
/// <param name="Uid">UID of the pod.</param>
/// <param name="Container">Name of the container.</param>
public sealed record PodLogRequest(string Namespace, string Pod, string Uid, string Container)
{
    /// <summary>Whether to follow the log.</summary>
    public bool Follow { get; init; }

    /// <summary>Whether the log of the previous container instance is requested.</summary>
    public bool Previous { get; init; }

    /// <summary>Number of lines from the end of the log; null for all.</summary>
    public int? TailLines { get; init; }

    /// <summary>Earliest time of the returned lines; null for all.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <summary>A line of a container log.</summary>
/// <param name="Time">The time of the line.</param>
/// <param name="Text">The line without line terminator.</param>
public readonly record struct PodLogLine(DateTimeOffset Time, string Text);

/// <summary>The requested log does not exist.</summary>
/// <param name="message">The error message for the client.</param>
public sealed class PodLogException(string message) : Exception(message);
