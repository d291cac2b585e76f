using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// The configuration of the proxies of one tenant, immutable. Its version is a hash of its content, so that two replicas of the control
/// plane have the same version for the same content.
/// </summary>
internal sealed class Snapshot
{
    private readonly Lazy<string> _version;

    /// <summary>A snapshot without listeners.</summary>
    public static readonly Snapshot Empty = new([], []);

    /// <summary>Builds a snapshot.</summary>
    /// <exception cref="ArgumentException">
    /// Two listeners have the same name or port, two clusters have the same name, or a listener references a missing cluster.
    /// </exception>
    public Snapshot(IEnumerable<ProxyListener> listeners, IEnumerable<ProxyCluster> clusters)
    {
        Clusters = clusters.ToImmutableSortedDictionary(c => c.Name, c => c, StringComparer.Ordinal);
        Listeners = listeners.ToImmutableSortedDictionary(l => l.Name, l => l, StringComparer.Ordinal);

        var ports = new HashSet<int>();
        foreach (var listener in Listeners.Values)
        {
            if (!ports.Add(listener.Port))
            {
                throw new ArgumentException($"Listener {listener.Name}: port {listener.Port} is already in use.", nameof(listeners));
            }

            if (!Clusters.ContainsKey(listener.Cluster))
            {
                throw new ArgumentException(
                    $"Listener {listener.Name} references cluster {listener.Cluster}, which does not exist.",
                    nameof(listeners)
                );
            }
        }

        _version = new Lazy<string>(ComputeVersion);
    }

    /// <summary>Listeners by name.</summary>
    public ImmutableSortedDictionary<string, ProxyListener> Listeners { get; }

    /// <summary>Clusters by name.</summary>
    public ImmutableSortedDictionary<string, ProxyCluster> Clusters { get; }

    /// <summary>16 hex digits of the SHA-256 of the content.</summary>
    public string Version => _version.Value;

    private string ComputeVersion()
    {
        var content = new StringBuilder();
        foreach (var listener in Listeners.Values)
        {
            content.Append('l');
            Append(content, listener.Name).Append(listener.Port).Append(' ').Append(listener.Protocol).Append(' ');
            Append(content, listener.Cluster);
        }

        foreach (var cluster in Clusters.Values)
        {
            content.Append('c');
            Append(content, cluster.Name).Append(cluster.Protocol);
            foreach (var endpoint in cluster.Endpoints)
            {
                content.Append('e');
                Append(content, endpoint.Address).Append(endpoint.Port);
            }
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())))[..16];
    }

    // Length-prefixed: addresses are tenant input, and must not collide with other content.
    private static StringBuilder Append(StringBuilder content, string text) => content.Append(text.Length).Append(':').Append(text);
}

/// <summary>Protocol of a listener.</summary>
internal enum ListenerProtocol
{
    /// <summary>HTTP/1.1 and HTTP/2.</summary>
    Http,

    /// <summary>TCP.</summary>
    Tcp,
}

/// <summary>Protocol of a cluster's endpoints.</summary>
internal enum UpstreamProtocol
{
    /// <summary>HTTP/1.1 or TCP.</summary>
    Http1,

    /// <summary>HTTP/2 without TLS (gRPC, h2c).</summary>
    Http2,
}

/// <summary>A listener of a proxy.</summary>
/// <param name="Name">Unique in the snapshot.</param>
/// <param name="Port">TCP port, 1-65535, unique in the snapshot.</param>
/// <param name="Protocol">Protocol of the traffic.</param>
/// <param name="Cluster">Name of a <see cref="ProxyCluster"/> of the same snapshot.</param>
internal sealed record ProxyListener(string Name, int Port, ListenerProtocol Protocol, string Cluster);

/// <summary>A set of endpoints and their protocol.</summary>
/// <param name="Name">Unique in the snapshot.</param>
/// <param name="Protocol">Protocol of the endpoints.</param>
/// <param name="Endpoints">In a stable order.</param>
internal sealed record ProxyCluster(string Name, UpstreamProtocol Protocol, ImmutableArray<ProxyEndpoint> Endpoints)
{
    public bool Equals(ProxyCluster? other) =>
        other is not null && Name == other.Name && Protocol == other.Protocol && Endpoints.SequenceEqual(other.Endpoints);

    public override int GetHashCode() => HashCode.Combine(Name, Protocol, Endpoints.Length);
}

/// <summary>An endpoint of a cluster.</summary>
/// <param name="Address">IP address or hostname.</param>
/// <param name="Port">TCP port, 1-65535.</param>
internal sealed record ProxyEndpoint(string Address, int Port);
