using System.Text;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Connections;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>A new token in the kubeconfig replaces an expired one without a restart of the CCM.</summary>
public sealed class CredentialTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kubelb-ccm-tests-").FullName;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Replaced_token_file_is_used_without_a_restart(bool inTokenFile)
    {
        await using var fixture = await CcmFixture.CreateAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "192.0.2.1"));
        var good = await TokenAsync(fixture.Management);
        var kubeconfig = Path.Combine(_folder, "kubeconfig");
        Write(fixture, kubeconfig, "expired", inTokenFile);
        await fixture.StartCcmAsync(toManagement: () => Kubeconfig.Connect(kubeconfig, "kubelb-ccm-test"));
        var gateway = await fixture.CreateAsync(TestObjects.Gateway());
        (await fixture.WaitForProblemAsync("credentials")).Should().StartWith("cluster management: ").And.Contain("check the token");

        Write(fixture, kubeconfig, good, inTokenFile);

        await fixture.WaitReadyAsync();
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "exists");
        fixture.Log.Warnings.Should().ContainSingle();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(CcmFixture fixture, string kubeconfig, string token, bool inTokenFile)
    {
        var text = fixture.ManagementServer.KubeconfigFor(token);
        if (inTokenFile)
        {
            File.WriteAllText(Path.Combine(_folder, "token"), token + "\n");
            text = System.Text.RegularExpressions.Regex.Replace(text, @"\btoken: .*", "tokenFile: token");
        }

        // Atomically, as the kubelet replaces mounted files.
        File.WriteAllText(kubeconfig + ".new", text);
        File.Move(kubeconfig + ".new", kubeconfig, overwrite: true);
    }

    /// <summary>A token with the permissions that the manager's Role grants a CCM.</summary>
    internal static async Task<string> TokenAsync(KubeLB.Runtime.Clusters.Cluster cluster)
    {
        var metadata = new V1ObjectMeta { Name = "kubelb-ccm", NamespaceProperty = CcmFixture.Namespace };
        await cluster.Client<V1ServiceAccount>().CreateAsync(new V1ServiceAccount { Metadata = metadata }, default);
        await cluster
            .Client<V1Role>()
            .CreateAsync(
                new V1Role
                {
                    Metadata = metadata,
                    Rules =
                    [
                        new V1PolicyRule
                        {
                            ApiGroups = ["kubelb.k8c.io"],
                            Resources = ["*"],
                            Verbs = ["*"],
                        },
                    ],
                },
                default
            );
        await cluster
            .Client<V1RoleBinding>()
            .CreateAsync(
                new V1RoleBinding
                {
                    Metadata = metadata,
                    RoleRef = new V1RoleRef
                    {
                        ApiGroup = "rbac.authorization.k8s.io",
                        Kind = "Role",
                        Name = "kubelb-ccm",
                    },
                    Subjects =
                    [
                        new Rbacv1Subject
                        {
                            Kind = "ServiceAccount",
                            Name = "kubelb-ccm",
                            NamespaceProperty = CcmFixture.Namespace,
                        },
                    ],
                },
                default
            );
        await cluster
            .Client<V1Secret>()
            .CreateAsync(
                new V1Secret
                {
                    Metadata = new V1ObjectMeta
                    {
                        Name = "kubelb-ccm",
                        NamespaceProperty = CcmFixture.Namespace,
                        Annotations = new Dictionary<string, string> { ["kubernetes.io/service-account.name"] = "kubelb-ccm" },
                    },
                    Type = "kubernetes.io/service-account-token",
                },
                default
            );
        var secret = await CcmFixture.WaitAsync<V1Secret>(
            cluster,
            CcmFixture.Namespace,
            "kubelb-ccm",
            s => s.Data?.ContainsKey("token") == true,
            "has a token"
        );
        return Encoding.UTF8.GetString(secret.Data["token"]);
    }
}
