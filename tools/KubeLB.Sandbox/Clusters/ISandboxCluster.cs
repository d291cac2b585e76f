using k8s;

namespace KubeLB.Sandbox.Clusters;

/// <summary>
/// The API server of a cluster in a sandbox. Nodes, pods and everything else that a cluster has beside it are simulated, so that an API
/// server with no scheduler, kubelet and kube-proxy is what is wanted.
/// </summary>
public interface ISandboxCluster : IAsyncDisposable
{
    /// <summary>URL of the API server.</summary>
    Uri Url { get; }

    /// <summary>
    /// Whether EndpointSlices may name loopback addresses. Kubernetes refuses them; simulated pods, which live at such addresses, are then
    /// published at others.
    /// </summary>
    bool AcceptsLoopbackEndpoints { get; }

    /// <summary>A kubeconfig of the administrator, as YAML.</summary>
    string KubeconfigYaml { get; }

    /// <summary>A client of the administrator. The caller disposes it.</summary>
    /// <param name="userAgent">What the client calls itself.</param>
    IKubernetes CreateClient(string userAgent);

    /// <summary>A client of somebody else. The caller disposes it.</summary>
    /// <param name="configuration">Who it is, and what it calls itself.</param>
    IKubernetes CreateClient(KubernetesClientConfiguration configuration);

    /// <summary>Creates CustomResourceDefinitions, or brings existing ones up to these, and waits until their kinds are served.</summary>
    /// <param name="yaml">Texts of one or several documents each.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">A text is not YAML, holds another kind, or a definition is not valid.</exception>
    Task InstallCrdsAsync(IEnumerable<string> yaml, CancellationToken cancellationToken = default);
}
