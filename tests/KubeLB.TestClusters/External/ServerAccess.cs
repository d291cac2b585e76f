using k8s;

namespace KubeLB.TestClusters.External;

/// <summary>How the administrator reaches an API server that runs in a process of its own.</summary>
/// <param name="KubeconfigYaml">A kubeconfig.</param>
/// <param name="AuthorityPem">The server's certificate authority in PEM.</param>
/// <param name="Token">A bearer token.</param>
/// <param name="Features">Optional features of the server.</param>
public sealed record ServerAccess(string KubeconfigYaml, string AuthorityPem, string Token, ClusterFeatures Features)
{
    /// <summary>The client configuration; each caller gets its own.</summary>
    public KubernetesClientConfiguration Configuration()
    {
        using var yaml = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(KubeconfigYaml));
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(yaml);
    }
}
