using System.Net;
using System.Reflection;
using k8s;
using k8s.Autorest;
using k8s.KubeConfigModels;
using k8s.Models;
using KubeLB.Sandbox.Demo;

namespace KubeLB.Sandbox.Composition;

/// <summary>
/// Creates the ServiceAccounts and roles of the charts for the manager and the CCMs, so that they have the same permissions in a sandbox as
/// in an installation.
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

    /// <summary>Creates the ServiceAccount and its roles from the files in <c>deploy/</c>, which are rendered from the charts.</summary>
    /// <param name="cluster">The cluster; the namespace <see cref="ClusterSetup.ManagerNamespace"/> exists.</param>
    /// <param name="component"><see cref="Manager"/> or <see cref="Ccm"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
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
                // It exists from an earlier sandbox on the same API server.
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

    /// <summary>Creates a client with these permissions. The caller disposes it.</summary>
    /// <param name="userAgent">User-Agent of the client.</param>
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
