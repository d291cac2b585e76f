using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeLB.EmbeddedCluster;

/// <summary>Options of an embedded cluster.</summary>
public sealed record EmbeddedClusterOptions
{
    /// <summary>Name of the cluster in its kubeconfig; <c>embedded</c> by default.</summary>
    public string Name { get; init; } = "embedded";

    /// <summary>The loopback address to listen on; 127.0.0.1 by default. Other addresses are rejected.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port to listen on; 0, the default, for a free port.</summary>
    public int Port { get; init; }

    /// <summary>Whether to serve TLS with a generated certificate authority, which is in the kubeconfig; true by default.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Node port range of Services; 30000-32767 by default.</summary>
    public (int First, int Last) NodePortRange { get; init; } = (30000, 32767);

    /// <summary>The network of cluster IPs; 10.96.0.0/16 by default.</summary>
    public string ServiceCidr { get; init; } = "10.96.0.0/16";

    /// <summary>The clock for timestamps, ages, timeouts and bookmarks.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Number of changes of each resource from which watches can resume; 5,000 by default.</summary>
    public int WatchHistory { get; init; } = 5_000;

    /// <summary>Interval of watch bookmarks; one minute by default.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Provides container logs for <c>kubectl logs</c>; null, the default, for none.</summary>
    public PodLogSource? PodLogs { get; init; }

    /// <summary>Provides warnings about created and updated objects; null, the default, for none.</summary>
    public ObjectWarnings? Warnings { get; init; }

    /// <summary>The error of <c>kubectl exec</c>, <c>attach</c> and <c>port-forward</c>.</summary>
    public string PodConnectionError { get; init; } = "This cluster does not run containers.";

    /// <summary>
    /// Resolves the end points of pods for the subresource <c>pods/proxy</c>. With null, the default, the API server connects to
    /// <c>status.podIP</c> as Kubernetes does: loopback and link-local addresses return 400.
    /// </summary>
    public PodEndPointSource? PodEndPoints { get; init; }

    /// <summary>The logger factory of the cluster; no logging by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}

/// <summary>Provides warnings about a created or updated object, for the <c>Warning</c> headers of the response.</summary>
/// <param name="kind">Kind of the object.</param>
/// <param name="content">The object with defaults; must not be modified.</param>
public delegate IEnumerable<string> ObjectWarnings(string kind, JsonObject content);

/// <summary>
/// Resolves the end point of a pod. <c>status.podIP</c> can be any text that a client wrote: return only end points of running pods.
/// </summary>
/// <param name="request">The request.</param>
/// <exception cref="PodUnreachableException">The pod cannot be reached; the message is part of the response, which is 503.</exception>
public delegate IPEndPoint PodEndPointSource(PodEndPointRequest request);

/// <summary>A request for the end point of a pod.</summary>
/// <param name="Namespace">Namespace of the pod.</param>
/// <param name="Pod">Name of the pod.</param>
/// <param name="Uid">UID of the pod.</param>
/// <param name="EndPoint">The address in the pod's status, and the requested port or else the first container port.</param>
public sealed record PodEndPointRequest(string Namespace, string Pod, string Uid, IPEndPoint EndPoint);

/// <summary>A pod cannot be reached.</summary>
/// <param name="message">The reason, for the client.</param>
public sealed class PodUnreachableException(string message) : Exception(message);

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
