using k8s;
using k8s.Exceptions;
using YamlDotNet.Core;

namespace KubeLB.Runtime.Connections;

/// <summary>Connections to API servers from kubeconfig files.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/</remarks>
public static class Kubeconfig
{
    /// <summary>
    /// Connects as a kubeconfig file says; nothing is sent yet. A bearer token that is replaced in the file (or in the file that its
    /// <c>tokenFile</c> names) is used within a second. A <see cref="Clusters.Cluster"/> also follows another server, certificate authority
    /// or client certificate, within some ten seconds.
    /// </summary>
    /// <param name="path">
    /// The file; empty for the pod's service account, or outside a cluster for <c>KUBECONFIG</c> or <c>~/.kube/config</c>.
    /// </param>
    /// <param name="userAgent">What the API server's logs show for our requests.</param>
    /// <exception cref="KubeconfigException">
    /// The file is missing, not readable, or not a kubeconfig; the message says which and what to do.
    /// </exception>
    public static IKubernetes Connect(string? path, string userAgent)
    {
        var configuration = Configuration(path, userAgent);
        return string.IsNullOrEmpty(path)
            ? new Kubernetes(configuration)
            : FollowingConnection.Create(new KubeconfigFile(path), userAgent, configuration);
    }

    /// <summary>What <see cref="Connect"/> connects with.</summary>
    /// <inheritdoc cref="Connect"/>
    public static KubernetesClientConfiguration Configuration(string? path, string userAgent)
    {
        var configuration = Read(path);
        configuration.UserAgent = userAgent;
        return configuration;
    }

    private static KubernetesClientConfiguration Read(string? path)
    {
        try
        {
            if (!string.IsNullOrEmpty(path))
            {
                return Read(new KubeconfigFile(path));
            }

            return KubernetesClientConfiguration.IsInCluster()
                ? KubernetesClientConfiguration.InClusterConfig()
                : KubernetesClientConfiguration.BuildConfigFromConfigFile();
        }
        catch (Exception e) when (IsUnusable(e))
        {
            throw Unusable(path, e);
        }
    }

    /// <summary>What a file says, with the token kept up to date.</summary>
    internal static KubernetesClientConfiguration Read(KubeconfigFile file)
    {
        var configuration = file.Read();
        if (configuration is { TokenProvider: null, AccessToken.Length: > 0 })
        {
            configuration.TokenProvider = new RotatingToken(file, configuration.Host, configuration.AccessToken, TimeProvider.System);
            configuration.AccessToken = null;
        }

        return configuration;
    }

    internal static KubeconfigException Unusable(string? path, Exception e)
    {
        var what = string.IsNullOrEmpty(path)
            ? "No kubeconfig was given, and none was found where kubectl looks"
            : $"The kubeconfig {path} cannot be used";
        var why = e is NullReferenceException ? "it is empty or not a kubeconfig" : e.Message.ReplaceLineEndings(" ").TrimEnd('.');
        return new KubeconfigException($"{what}: {why}.", e);
    }

    /// <summary>Whether the exception says that a kubeconfig cannot be used, as KubernetesClient tells it.</summary>
    internal static bool IsUnusable(Exception e) =>
        e
            is KubeConfigException
                or YamlException
                or IOException
                or UnauthorizedAccessException
                or FormatException
                or ArgumentException
                or System.Security.Cryptography.CryptographicException
                or NullReferenceException;
}
