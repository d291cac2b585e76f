using k8s;
using k8s.KubeConfigModels;
using k8s.Models;
using YamlDotNet.Core;

namespace KubeLB.Manager.Tenants;

/// <summary>ConfigMap <c>cluster-info</c>, in which a cluster publishes how it is reached.</summary>
/// <remarks>https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/</remarks>
internal static class ClusterInfo
{
    private const string Key = "kubeconfig";

    /// <summary>The API server's URL; null if the ConfigMap does not say it.</summary>
    public static string? Server(V1ConfigMap? clusterInfo)
    {
        if (clusterInfo?.Data?.TryGetValue(Key, out var text) != true || string.IsNullOrEmpty(text))
        {
            return null;
        }

        try
        {
            return KubernetesYaml.Deserialize<K8SConfiguration>(text)?.Clusters?.FirstOrDefault()?.ClusterEndpoint?.Server;
        }
        catch (YamlException)
        {
            // Not a kubeconfig, as if it were not there; whoever needs it gets the sentence that names it.
            return null;
        }
    }
}
