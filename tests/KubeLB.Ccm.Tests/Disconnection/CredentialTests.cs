using System.Text;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Connections;

namespace KubeLB.Ccm.Tests.Disconnection;

/// <summary>A token that has run out is replaced in the kubeconfig; nobody restarts the CCM.</summary>
public sealed class CredentialTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kubelb-ccm-tests-").FullName;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_that_is_replaced_on_disk_is_picked_up(bool inAFileOfItsOwn)
    {
        await using var bed = await CcmFixture.CreateAsync();
        await bed.CreateAsync(Given.Node("n1", "192.0.2.1"));
        var good = await TokenAsync(bed);
        var kubeconfig = Path.Combine(_folder, "kubeconfig");
        Write(bed, kubeconfig, "expired", inAFileOfItsOwn);
        await bed.StartCcmAsync(toManagement: () => Kubeconfig.Connect(kubeconfig, "kubelb-ccm-test"));
        var gateway = await bed.CreateAsync(Given.Gateway());
        (await bed.WaitForProblemAsync("credentials")).Should().StartWith("cluster management: ").And.Contain("check the token");

        Write(bed, kubeconfig, good, inAFileOfItsOwn);

        await bed.WaitReadyAsync();
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "is carried");
        bed.Log.Warnings.Should().ContainSingle();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(CcmFixture bed, string kubeconfig, string token, bool inAFileOfItsOwn)
    {
        var text = bed.ManagementServer.KubeconfigFor(token);
        if (inAFileOfItsOwn)
        {
            File.WriteAllText(Path.Combine(_folder, "token"), token + "\n");
            text = System.Text.RegularExpressions.Regex.Replace(text, @"\btoken: .*", "tokenFile: token");
        }

        // As the kubelet replaces what it mounts: whole.
        File.WriteAllText(kubeconfig + ".new", text);
        File.Move(kubeconfig + ".new", kubeconfig, overwrite: true);
    }

    /// <summary>A token that may do what the manager's Role lets a CCM do.</summary>
    private static async Task<string> TokenAsync(CcmFixture bed)
    {
        var metadata = new V1ObjectMeta { Name = "kubelb-ccm", NamespaceProperty = CcmFixture.Namespace };
        await bed.Management.Client<V1ServiceAccount>().CreateAsync(new V1ServiceAccount { Metadata = metadata }, default);
        await bed
            .Management.Client<V1Role>()
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
        await bed
            .Management.Client<V1RoleBinding>()
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
        await bed
            .Management.Client<V1Secret>()
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
            bed.Management,
            CcmFixture.Namespace,
            "kubelb-ccm",
            s => s.Data?.ContainsKey("token") == true,
            "has a token"
        );
        return Encoding.UTF8.GetString(secret.Data["token"]);
    }
}
