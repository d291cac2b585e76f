using System.Net;
using System.Net.Sockets;

namespace KubeLB.TestClusters.Envtest;

/// <summary>Finds ports for servers that need a fixed port.</summary>
internal static class FreePort
{
    /// <summary>A port of 127.0.0.1 that nothing listened on a moment ago.</summary>
    public static int Find()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
