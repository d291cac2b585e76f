using System.Net;
using System.Net.Sockets;

namespace KubeLB.Sandbox.Networking;

/// <summary>Finds a port to listen on.</summary>
internal static class ListeningSocket
{
    /// <summary>
    /// The wanted end point if it can be bound, otherwise a free high port of the same address (privileged ports, or an address that
    /// several share). The port is tried by binding it, so another process could take it before the caller does.
    /// </summary>
    public static IPEndPoint Choose(IPEndPoint wanted) =>
        IsFree(wanted) ? wanted : new IPEndPoint(wanted.Address, FreePort(wanted.Address));

    /// <summary>Whether the end point can be bound now.</summary>
    public static bool IsFree(IPEndPoint endPoint)
    {
        using var socket = NewSocket();
        try
        {
            socket.Bind(endPoint);
            socket.Listen();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>An unbound TCP socket that may take an address whose last connections are still closing, but not one in use.</summary>
    public static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private static int FreePort(IPAddress address)
    {
        using var socket = NewSocket();
        socket.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
