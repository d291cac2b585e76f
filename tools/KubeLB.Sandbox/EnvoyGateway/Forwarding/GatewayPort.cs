using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>A port of a Gateway: the owner of its socket. Its routes are swapped as a whole.</summary>
internal sealed class GatewayPort(ResourceKey gateway, int port, bool isHttps)
{
    private RouteTable _routes = RouteTable.Empty;

    /// <summary>The Gateway.</summary>
    public ResourceKey Gateway => gateway;

    /// <summary>Port of the listeners, which is not the socket's port where that could not be bound.</summary>
    public int Port => port;

    /// <summary>Whether clients speak TLS.</summary>
    public bool IsHttps => isHttps;

    /// <summary>The routes in force.</summary>
    public RouteTable Routes
    {
        get => Volatile.Read(ref _routes);
        set => Volatile.Write(ref _routes, value);
    }

    /// <summary>Certificates by host name of the listener; of an HTTPS port.</summary>
    public CertificateTable Certificates { get; } = new();
}
