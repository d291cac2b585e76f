namespace KubeLB.Manager.Proxies;

/// <summary>What is spoken at a port of a tenant's proxy, and behind it.</summary>
internal enum ProxyProtocol
{
    /// <summary>Bytes, passed on.</summary>
    Tcp,

    /// <summary>HTTP, passed on as HTTP/1.1.</summary>
    Http1,

    /// <summary>HTTP, passed on as HTTP/2 without TLS (gRPC, h2c).</summary>
    Http2,
}

/// <summary>A port of a tenant's proxy, which forwards to a node port of the tenant's nodes.</summary>
/// <param name="Name">Unique among the tenant's; names the listener and the cluster.</param>
/// <param name="ListenerPort">What the proxy listens on, 1-65535.</param>
/// <param name="NodePort">What the nodes listen on, 1-65535.</param>
/// <param name="Protocol">What is spoken.</param>
internal sealed record ProxyPort(string Name, int ListenerPort, int NodePort, ProxyProtocol Protocol);
