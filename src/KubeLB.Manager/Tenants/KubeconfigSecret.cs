using System.Text;
using k8s;
using k8s.KubeConfigModels;
using k8s.Models;
using KubeLB.Api.Naming;
using YamlDotNet.Core;

namespace KubeLB.Manager.Tenants;

/// <summary>Reads the Secret with the kubeconfig of a tenant's CCM. Pure.</summary>
internal static class KubeconfigSecret
{
    /// <summary>
    /// The kubeconfig that is there, if it leads to the same server with the same certificate authority and token: one that the Go manager
    /// wrote in another form stays as it is. Null if it is to be replaced.
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
