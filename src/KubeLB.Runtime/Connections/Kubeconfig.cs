using k8s;
using k8s.Exceptions;
using YamlDotNet.Core;

namespace KubeLB.Runtime.Connections;

/// <summary>Connections to API servers from kubeconfig files.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/</remarks>
public static class Kubeconfig
{
    /// <summary>Connects as a kubeconfig file says; nothing is sent yet. A token that the file holds is read again when the file changes.</summary>
    /// <param name="path">The file; empty for the pod's service account, or outside a cluster for <c>KUBECONFIG</c> or <c>~/.kube/config</c>.</param>
    /// <param name="userAgent">What the API server's logs show for our requests.</param>
    /// <exception cref="KubeconfigException">The file is missing, not readable, or not a kubeconfig; the message says which and what to do.</exception>
    public static IKubernetes Connect(string? path, string userAgent) => new Kubernetes(Configuration(path, userAgent));

    /// <summary>What <see cref="Connect"/> connects with.</summary>
    /// <inheritdoc cref="Connect"/>
    public static KubernetesClientConfiguration Configuration(string? path, string userAgent)
    {
        var configuration = Read(path);
        configuration.UserAgent = userAgent;
        if (!string.IsNullOrEmpty(path) && configuration.TokenProvider is null && configuration.AccessToken is { Length: > 0 } token)
        {
            configuration.TokenProvider = new KubeconfigTokens(new FileInfo(path), token, TimeProvider.System);
        }

        return configuration;
    }

    private static KubernetesClientConfiguration Read(string? path)
    {
        try
        {
            if (!string.IsNullOrEmpty(path))
            {
                return KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(path));
            }

            return KubernetesClientConfiguration.IsInCluster()
                ? KubernetesClientConfiguration.InClusterConfig()
                : KubernetesClientConfiguration.BuildConfigFromConfigFile();
        }
        catch (Exception e) when (e is KubeConfigException or YamlException or IOException or UnauthorizedAccessException
            or FormatException or ArgumentException or System.Security.Cryptography.CryptographicException or NullReferenceException)
        {
            var what = string.IsNullOrEmpty(path) ? "No kubeconfig was given, and none was found where kubectl looks" : $"The kubeconfig {path} cannot be used";
            var why = e is NullReferenceException ? "it is empty or not a kubeconfig" : e.Message.ReplaceLineEndings(" ").TrimEnd('.');
            throw new KubeconfigException($"{what}: {why}.", e);
        }
    }
}
