using System.Collections.Concurrent;
using System.Net;
using KubeLB.Translation.Status;
using KubeLB.Xds.Discovery;

namespace KubeLB.Manager.Proxies.Acknowledgements;

/// <summary>Whether all proxies have acknowledged the configuration of a route's new backends.</summary>
/// <param name="Left">Time left until the timeout; null if the route need not wait.</param>
/// <param name="Rejection">A proxy's rejection of the configuration; null if no proxy rejected it.</param>
internal readonly record struct BackendAcknowledgement(TimeSpan? Left, ProxyRejection? Rejection)
{
    /// <summary>All proxies have acknowledged, or the timeout is over: the route may be written.</summary>
    public static BackendAcknowledgement Ready { get; } = new(null, null);

    /// <summary>A proxy has not acknowledged the backend yet.</summary>
    public static BackendAcknowledgement Waiting(TimeSpan left) => new(left, null);

    /// <summary>A proxy has rejected the backend's configuration.</summary>
    public static BackendAcknowledgement Rejected(ProxyRejection rejection) => new(null, rejection);
}

/// <summary>Response of another replica about its clients.</summary>
/// <param name="Resources">The resources of the request.</param>
/// <param name="Clients">The state of each client.</param>
internal sealed record ReplicaResponse(IReadOnlyList<XdsResourceVersion> Resources, IReadOnlyList<XdsClientAcknowledgement> Clients);

/// <summary>A Route's new backends that the proxies have not acknowledged yet.</summary>
/// <param name="portKey">The names of the ports in one string, for comparison.</param>
/// <param name="ports">Names of the proxies' ports.</param>
/// <param name="since">Timestamp of the start of the wait.</param>
internal sealed class PendingBackends(string portKey, IReadOnlyCollection<string> ports, long since)
{
    private readonly ConcurrentDictionary<IPEndPoint, ReplicaResponse> _responses = new();
    private int _requesting;
    private long _requestedAt;

    public string PortKey => portKey;

    public IReadOnlyCollection<string> Ports => ports;

    /// <summary>Timestamp of the start of the wait.</summary>
    public long Since { get; private set; } = since;

    /// <summary>Whether a proxy has rejected a resource.</summary>
    public bool IsRejected { get; set; }

    /// <summary>Whether the timeout is over.</summary>
    public bool IsTimedOut { get; set; }

    /// <summary>The last result that was reported to the controller; null while the Route waits.</summary>
    public BackendAcknowledgement? Reported { get; set; }

    /// <summary>The last response of each other replica.</summary>
    public ICollection<ReplicaResponse> Responses => _responses.Values;

    /// <summary>Whether other replicas must be queried.</summary>
    public volatile bool NeedsRequest;

    public void SetResponse(IPEndPoint replica, ReplicaResponse response) => _responses[replica] = response;

    /// <summary>Continues the wait with other ports, so that a Route that changes continuously does not wait longer than others.</summary>
    public PendingBackends With(string otherKey, IReadOnlyCollection<string> otherPorts, long now) =>
        new(otherKey, otherPorts, IsRejected || IsTimedOut ? now : Since);

    public void Restart(long now) => (Since, IsRejected, IsTimedOut) = (now, false, false);

    public bool TryBeginRequest(TimeProvider time, TimeSpan interval)
    {
        if ((_requestedAt != 0 && time.GetElapsedTime(_requestedAt) < interval) || Interlocked.Exchange(ref _requesting, 1) == 1)
        {
            return false;
        }

        _requestedAt = time.GetTimestamp();
        return true;
    }

    public void EndRequest() => Volatile.Write(ref _requesting, 0);
}
