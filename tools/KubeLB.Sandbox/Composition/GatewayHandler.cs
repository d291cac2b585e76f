using System.Net;
using System.Net.Sockets;

namespace KubeLB.Sandbox.Composition;

/// <summary>
/// Sends requests to Gateways as their status names them. A port that the sandbox had to serve elsewhere is found where it is.
/// </summary>
internal static class GatewayHandler
{
    /// <summary>A new handler. It follows no redirects and keeps no cookies and no connections.</summary>
    public static SocketsHttpHandler Create(Func<IPAddress, int, IPEndPoint?> resolve) =>
        new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var wanted = context.DnsEndPoint;
                EndPoint target =
                    IPAddress.TryParse(wanted.Host, out var address) && resolve(address, wanted.Port) is { } moved ? moved : wanted;
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
}
