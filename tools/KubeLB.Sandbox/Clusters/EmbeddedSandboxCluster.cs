using k8s;
using KubeLB.EmbeddedCluster;

namespace KubeLB.Sandbox.Clusters;

/// <summary>An embedded cluster in a sandbox: what a sandbox has unless it is told otherwise.</summary>
public sealed class EmbeddedSandboxCluster : ISandboxCluster
{
    private EmbeddedSandboxCluster(EmbeddedCluster.EmbeddedCluster cluster) => Server = cluster;

    /// <summary>The API server, with its request log and its faults.</summary>
    public EmbeddedCluster.EmbeddedCluster Server { get; }

    /// <inheritdoc/>
    public Uri Url => Server.Url;

    /// <inheritdoc/>
    public bool AcceptsLoopbackEndpoints => true;

    /// <inheritdoc/>
    public string KubeconfigYaml => Server.KubeconfigYaml;

    /// <summary>Starts a cluster.</summary>
    public static async Task<EmbeddedSandboxCluster> StartAsync(ClusterRequest request, CancellationToken cancellationToken = default)
    {
        var options = new EmbeddedClusterOptions
        {
            Name = request.Name,
            Tls = request.Tls,
            NodePortRange = request.NodePorts,
            PodLogs = request.PodLogs,
        };
        return new EmbeddedSandboxCluster(
            await EmbeddedCluster.EmbeddedCluster.StartAsync(options, cancellationToken).ConfigureAwait(false)
        );
    }

    /// <inheritdoc/>
    public IKubernetes CreateClient(string userAgent) => Server.CreateClient(userAgent);

    /// <inheritdoc/>
    public IKubernetes CreateClient(KubernetesClientConfiguration configuration) => new Kubernetes(configuration);

    /// <inheritdoc/>
    public Task InstallCrdsAsync(IEnumerable<string> yaml, CancellationToken cancellationToken = default) =>
        Server.InstallCrdsAsync(yaml, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
