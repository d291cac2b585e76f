namespace KubeLB.Xds.Discovery;

/// <summary>A client's address, as gRPC writes it: <c>ipv4:10.0.0.7:41234</c>, <c>ipv6:[fd00::7]:41234</c>.</summary>
public static class XdsPeer
{
    /// <summary>The address without the port, which differs from connection to connection.</summary>
    public static string HostOf(string peer)
    {
        var start = peer.IndexOf(':', StringComparison.Ordinal) + 1;
        var end = peer.LastIndexOf(':');
        return end > start ? peer[start..end].Trim('[', ']') : peer;
    }
}
