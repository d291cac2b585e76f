using System.Net;
using System.Reflection;
using k8s;
using k8s.Autorest;
using k8s.KubeConfigModels;
using k8s.Models;
using KubeLB.Sandbox.Clusters;
using KubeLB.Sandbox.Manifests;

namespace KubeLB.Sandbox.Composition;

/// <summary>
/// Gives the manager and the CCMs the ServiceAccounts and roles that the charts give them, so that they may do in a sandbox what they may
/// do in an installation, and nothing more.
/// </summary>
internal sealed class ComponentAccess
{
    /// <summary>The manager's ServiceAccount.</summary>
    public const string Manager = "kubelb-manager";

    /// <summary>The ServiceAccount of a CCM in its cluster.</summary>
    public const string Ccm = "kubelb-ccm";

    private const long TokenSeconds = 30 * 24 * 3600;
    private static readonly string[] Kinds =
    [
        V1ServiceAccount.KubeKind,
        V1ClusterRole.KubeKind,
        V1ClusterRoleBinding.KubeKind,
        V1Role.KubeKind,
        V1RoleBinding.KubeKind,
    ];

    private readonly ISandboxCluster _cluster;
    private readonly string _token;

    private ComponentAccess(ISandboxCluster cluster, string token)
    {
        _cluster = cluster;
        _token = token;
    }

    /// <summary>Creates the account with its roles, of the files in <c>deploy/</c>, which are rendered from the charts.</summary>
    /// <param name="cluster">The cluster; the namespace <see cref="ClusterSetup.ManagerNamespace"/> exists.</param>
    /// <param name="component"><see cref="Manager"/> or <see cref="Ccm"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ComponentAccess> GrantAsync(ISandboxCluster cluster, string component, CancellationToken cancellationToken)
    {
        using var client = cluster.CreateClient("kubelb-sandbox");
        foreach (var manifest in ManifestYaml.Read(Deployed(component)).Where(m => Kinds.Contains((string?)m["kind"])))
        {
            try
            {
                await ManifestClient.CreateAsync(client, manifest, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
            {
                // Left by an earlier sandbox on an API server that is used again.
            }
        }

        var request = new Authenticationv1TokenRequest
        {
            Spec = new V1TokenRequestSpec { Audiences = [], ExpirationSeconds = TokenSeconds },
        };
        var answer = await client
            .CoreV1.CreateNamespacedServiceAccountTokenAsync(
                request,
                component,
                ClusterSetup.ManagerNamespace,
                cancellationToken: cancellationToken
            )
            .ConfigureAwait(false);
        return new ComponentAccess(cluster, answer.Status.Token);
    }

    /// <summary>A client with these rights. The caller disposes it.</summary>
    /// <param name="userAgent">What the client calls itself.</param>
    public IKubernetes CreateClient(string userAgent)
    {
        var kubeconfig = KubernetesYaml.Deserialize<K8SConfiguration>(_cluster.KubeconfigYaml);
        foreach (var user in kubeconfig.Users)
        {
            user.UserCredentials = new UserCredentials { Token = _token };
        }

        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigObject(kubeconfig);
        configuration.UserAgent = userAgent;
        return _cluster.CreateClient(configuration);
    }

    private static string Deployed(string component)
    {
        var file = component == Manager ? "manager.yaml" : "ccm.yaml";
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("Deploy/" + file)!);
        return reader.ReadToEnd();
    }
}
