using System.Collections.Immutable;

namespace KubeLB.Sandbox.Proxies;

/// <summary>How a listener treats its traffic.</summary>
internal enum ListenerProtocol
{
    /// <summary>HTTP/1.1 and HTTP/2.</summary>
    Http,

    /// <summary>Bytes, passed on.</summary>
    Tcp,
}

/// <summary>How a cluster's endpoints are spoken to.</summary>
internal enum UpstreamProtocol
{
    /// <summary>HTTP/1.1 or bytes.</summary>
    Http1,

    /// <summary>HTTP/2 without TLS (gRPC, h2c).</summary>
    Http2,
}

/// <summary>A port of a proxy and the cluster behind it.</summary>
/// <param name="Name">Unique in the snapshot.</param>
/// <param name="Port">TCP port, 1-65535, unique in the snapshot.</param>
/// <param name="Protocol">How traffic is treated.</param>
/// <param name="Cluster">Name of a <see cref="ProxyCluster"/> of the same snapshot.</param>
internal sealed record ProxyListener(string Name, int Port, ListenerProtocol Protocol, string Cluster);

/// <summary>A set of endpoints and how to speak to them.</summary>
/// <param name="Name">Unique in the snapshot.</param>
/// <param name="Protocol">How the endpoints are spoken to.</param>
/// <param name="Endpoints">In a stable order.</param>
internal sealed record ProxyCluster(string Name, UpstreamProtocol Protocol, ImmutableArray<ProxyEndpoint> Endpoints)
{
    /// <inheritdoc/>
    public bool Equals(ProxyCluster? other) =>
        other is not null && Name == other.Name && Protocol == other.Protocol && Endpoints.SequenceEqual(other.Endpoints);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Protocol, Endpoints.Length);
}

/// <summary>An address that a cluster sends to.</summary>
/// <param name="Address">IP address or host name.</param>
/// <param name="Port">TCP port, 1-65535.</param>
internal sealed record ProxyEndpoint(string Address, int Port);
