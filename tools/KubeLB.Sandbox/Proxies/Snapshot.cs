using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// The whole configuration of one proxy fleet, immutable. Its version is a hash of its content, so that two replicas of
/// the control plane, or one before and after a restart, name the same content alike.
/// </summary>
internal sealed class Snapshot
{
    private readonly Lazy<string> _version;

    /// <summary>A snapshot without listeners.</summary>
    public static readonly Snapshot Empty = new([], []);

    /// <summary>Builds a snapshot.</summary>
    /// <exception cref="ArgumentException">
    /// Two different listeners share a name or a port, two different clusters a name, or a listener names a cluster that is not there.
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
                throw new ArgumentException($"Listener {listener.Name}: port {listener.Port} is already taken.", nameof(listeners));
            }

            if (!Clusters.ContainsKey(listener.Cluster))
            {
                throw new ArgumentException(
                    $"Listener {listener.Name} refers to cluster {listener.Cluster}, which is not there.",
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

    // With its length: addresses are a tenant's words, and no choice of them may look like something else.
    private static StringBuilder Append(StringBuilder content, string text) => content.Append(text.Length).Append(':').Append(text);
}
