using System.Net;

namespace KubeLB.Xds.Discovery;

/// <summary>A client's address, as gRPC writes it: <c>ipv4:10.0.0.7:41234</c>, <c>ipv6:[fd00::7]:41234</c>.</summary>
public static class XdsPeer
{
    /// <summary>The address without the port, which differs from connection to connection.</summary>
    public static string HostOf(string peer)
    {
        var start = peer.IndexOf(':', StringComparison.Ordinal) + 1;
        var end = peer.LastIndexOf(':');
        if (end <= start)
        {
            return peer;
        }

        // A server that listens at all addresses sees IPv4 as ::ffff:10.0.0.7.
        var host = peer[start..end].Trim('[', ']');
        return IPAddress.TryParse(host, out var address) && address.IsIPv4MappedToIPv6 ? $"{address.MapToIPv4()}" : host;
    }
}
