using k8s;
using k8s.Models;

namespace KubeLB.TestClusters.K3s;

/// <summary>A service account that may do everything.</summary>
internal static class K3sAdministrator
{
    public const string Name = "kubernetes-admin";
    private const string Namespace = "kube-system";
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>Creates the account and a token for it.</summary>
    public static async Task<string> CreateTokenAsync(IKubernetes client, CancellationToken cancellationToken)
    {
        await client
            .CoreV1.CreateNamespacedServiceAccountAsync(
                new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = Name } },
                Namespace,
                cancellationToken: cancellationToken
            )
            .ConfigureAwait(false);
        await client
            .RbacAuthorizationV1.CreateClusterRoleBindingAsync(
                new V1ClusterRoleBinding
                {
                    Metadata = new V1ObjectMeta { Name = Name },
                    RoleRef = new V1RoleRef
                    {
                        ApiGroup = V1ClusterRole.KubeGroup,
                        Kind = V1ClusterRole.KubeKind,
                        Name = "cluster-admin",
                    },
                    Subjects =
                    [
                        new Rbacv1Subject
                        {
                            Kind = V1ServiceAccount.KubeKind,
                            Name = Name,
                            NamespaceProperty = Namespace,
                        },
                    ],
                },
                cancellationToken: cancellationToken
            )
            .ConfigureAwait(false);
        var request = new Authenticationv1TokenRequest
        {
            Spec = new V1TokenRequestSpec { Audiences = [], ExpirationSeconds = (long)Lifetime.TotalSeconds },
        };
        var answer = await client
            .CoreV1.CreateNamespacedServiceAccountTokenAsync(request, Name, Namespace, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Status.Token;
    }
}
