using System.Collections.Concurrent;
using System.Net;

namespace KubeLB.Sandbox.Networking;

/// <summary>The open connections of forwarders: a server finds the forwarder of a connection by the client's end point.</summary>
internal sealed class ForwardedConnections
{
    private readonly ConcurrentDictionary<IPEndPoint, IPEndPoint> _forwarders = new();

    /// <summary>The end point of the forwarder that opened a connection; null if none did.</summary>
    /// <param name="client">The client's end point of the connection.</param>
    public IPEndPoint? ForwarderOf(IPEndPoint client) => _forwarders.GetValueOrDefault(client);

    /// <summary>Adds a connection.</summary>
    public void Add(IPEndPoint client, IPEndPoint forwarder) => _forwarders[client] = forwarder;

    /// <summary>Removes a connection.</summary>
    public void Remove(IPEndPoint client) => _forwarders.TryRemove(client, out _);
}
