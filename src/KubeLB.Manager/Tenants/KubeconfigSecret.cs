using System.Text;
using k8s;
using k8s.KubeConfigModels;
using k8s.Models;
using KubeLB.Api.Naming;
using YamlDotNet.Core;

namespace KubeLB.Manager.Tenants;

/// <summary>Reads the Secret with the kubeconfig of a tenant's CCM.</summary>
internal static class KubeconfigSecret
{
    /// <summary>
    /// The present kubeconfig if it has the same server, certificate authority and token, so that one which the Go manager wrote in another
    /// form is kept; null if it must be replaced.
    /// </summary>
    public static string? Present(V1Secret? secret, string server, byte[] authority, string token)
    {
        if (secret?.Data?.TryGetValue(TenantNames.KubeconfigKey, out var content) != true || content is null)
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(content);
        try
        {
            var kubeconfig = KubernetesYaml.Deserialize<K8SConfiguration>(text);
            var context = kubeconfig?.Contexts?.FirstOrDefault(c => c.Name == kubeconfig.CurrentContext)?.ContextDetails;
            var cluster = kubeconfig?.Clusters?.FirstOrDefault(c => c.Name == context?.Cluster)?.ClusterEndpoint;
            var user = kubeconfig?.Users?.FirstOrDefault(u => u.Name == context?.User)?.UserCredentials;
            return
                cluster?.Server == server
                && user?.Token == token
                && (cluster.CertificateAuthorityData ?? "") == Convert.ToBase64String(authority)
                ? text
                : null;
        }
        catch (YamlException)
        {
            return null;
        }
    }
}

/// <summary>Reads the ConfigMap <c>cluster-info</c>, in which a cluster publishes the URL of its API server.</summary>
/// <remarks>https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/</remarks>
internal static class ClusterInfo
{
    private const string Key = "kubeconfig";

    /// <summary>The API server's URL; null if the ConfigMap does not have it.</summary>
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
            // An invalid kubeconfig is treated as absent; ServerUrl.Find then uses the EndpointSlices.
            return null;
        }
    }
}
