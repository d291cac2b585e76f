using k8s;
using KubeLB.EmbeddedCluster;
using KubeLB.Runtime.Connections;

namespace KubeLB.Sandbox.Composition;

/// <summary>
/// The API server of a sandbox cluster. Nodes and pods are simulated, so the API server must have no scheduler, kubelet and kube-proxy.
/// </summary>
public interface ISandboxCluster : IAsyncDisposable
{
    /// <summary>URL of the API server.</summary>
    Uri Url { get; }

    /// <summary>
    /// Whether EndpointSlices may have loopback addresses. Kubernetes rejects them; the loopback addresses of simulated pods are then
    /// published as other addresses.
    /// </summary>
    bool AcceptsLoopbackEndpoints { get; }

    /// <summary>Kubeconfig of the administrator, as YAML.</summary>
    string KubeconfigYaml { get; }

    /// <summary>Creates a client with administrator credentials. The caller disposes it.</summary>
    /// <param name="userAgent">User-Agent of the client.</param>
    IKubernetes CreateClient(string userAgent);

    /// <summary>Creates a client with another configuration. The caller disposes it.</summary>
    /// <param name="configuration">Credentials and User-Agent.</param>
    IKubernetes CreateClient(KubernetesClientConfiguration configuration);

    /// <summary>Creates a client that reloads its kubeconfig, like a CCM outside of the sandbox. The caller disposes it.</summary>
    /// <param name="kubeconfig">The file.</param>
    /// <param name="userAgent">User-Agent of the client.</param>
    IKubernetes Connect(string kubeconfig, string userAgent);

    /// <summary>Creates or updates CustomResourceDefinitions, and waits until they are established.</summary>
    /// <param name="yaml">YAML texts with one or more documents.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="ArgumentException">A text is not valid YAML, contains another kind, or a definition is invalid.</exception>
    Task InstallCrdsAsync(IEnumerable<string> yaml, CancellationToken cancellationToken = default);
}

/// <summary>Specification of a sandbox cluster.</summary>
/// <param name="Name">Name of the cluster in its kubeconfig.</param>
/// <param name="NodePorts">The node port range. Smaller than the default if all nodes share one address.</param>
/// <param name="Tls">Whether the API server serves TLS.</param>
public sealed record ClusterRequest(string Name, (int First, int Last) NodePorts, bool Tls)
{
    /// <summary>Provides container logs, if the API server supports it; null for none.</summary>
    public PodLogSource? PodLogs { get; init; }

    /// <summary>Provides warnings about written objects, if the API server supports it; null for none.</summary>
    public ObjectWarnings? Warnings { get; init; }

    /// <summary>Resolves the end points of pods for the subresource <c>pods/proxy</c>, if the API server supports it.</summary>
    public PodEndPointSource? PodEndPoints { get; init; }

    /// <summary>The error of connections to pods, if the API server supports it.</summary>
    public string PodConnectionError { get; init; } = new EmbeddedClusterOptions().PodConnectionError;
}

/// <summary>An embedded cluster as a sandbox cluster, the default.</summary>
public sealed class EmbeddedSandboxCluster : ISandboxCluster
{
    private EmbeddedSandboxCluster(EmbeddedCluster.EmbeddedCluster cluster) => Server = cluster;

    /// <summary>The API server, with its request log and fault injection.</summary>
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
            Warnings = request.Warnings,
            PodConnectionError = request.PodConnectionError,
            PodEndPoints = request.PodEndPoints,
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
    public IKubernetes Connect(string kubeconfig, string userAgent) => Kubeconfig.Connect(kubeconfig, userAgent);

    /// <inheritdoc/>
    public Task InstallCrdsAsync(IEnumerable<string> yaml, CancellationToken cancellationToken = default) =>
        Server.InstallCrdsAsync(yaml, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
