namespace KubeLB.EmbeddedCluster;

/// <summary>Gives the output of a container.</summary>
/// <param name="request">Which part of which container's output.</param>
/// <param name="cancellationToken">The client left, or the server stops.</param>
/// <exception cref="PodLogException">There is no such output; the message is the answer.</exception>
public delegate IAsyncEnumerable<PodLogLine> PodLogSource(PodLogRequest request, CancellationToken cancellationToken);

/// <summary>A request for the output of a container.</summary>
/// <param name="Namespace">Namespace of the pod.</param>
/// <param name="Pod">Name of the pod.</param>
/// <param name="Uid">UID of the pod.</param>
/// <param name="Container">Name of the container.</param>
public sealed record PodLogRequest(string Namespace, string Pod, string Uid, string Container)
{
    /// <summary>Whether lines that come later are to follow.</summary>
    public bool Follow { get; init; }

    /// <summary>Whether the container's last run that ended is meant.</summary>
    public bool Previous { get; init; }

    /// <summary>How many lines at most, the last ones; null for all.</summary>
    public int? TailLines { get; init; }

    /// <summary>The time of the first line; null for all.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <summary>A line of a container's output.</summary>
/// <param name="Time">When it was written.</param>
/// <param name="Text">The line, without its end.</param>
public readonly record struct PodLogLine(DateTimeOffset Time, string Text);

/// <summary>There is no such output.</summary>
/// <param name="message">What is wrong.</param>
public sealed class PodLogException(string message) : Exception(message);
