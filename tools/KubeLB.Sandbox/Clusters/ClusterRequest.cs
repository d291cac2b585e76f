using KubeLB.EmbeddedCluster;

namespace KubeLB.Sandbox.Clusters;

/// <summary>A cluster that a sandbox asks for.</summary>
/// <param name="Name">What it is called in its kubeconfig.</param>
/// <param name="NodePorts">
/// The node ports that it may allocate, from the first to the last. Narrower than usual where nodes share an address.
/// </param>
/// <param name="Tls">Whether the API server is to speak TLS.</param>
public sealed record ClusterRequest(string Name, (int First, int Last) NodePorts, bool Tls)
{
    /// <summary>Gives the output of containers, where the API server can be told; null for none.</summary>
    public PodLogSource? PodLogs { get; init; }
}
