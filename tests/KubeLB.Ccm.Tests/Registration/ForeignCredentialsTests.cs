using k8s.Models;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Connections;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>A kubeconfig of another tenant, or for another cluster, is recognized by the user that the API server names.</summary>
public sealed class ForeignCredentialsTests : IDisposable
{
    private const string Swapped =
        "--kubeconfig holds the credentials of Tenant t1 for the management cluster. Are --kubeconfig and --kubelb-kubeconfig swapped?";

    private const string OtherTenant =
        "The kubeconfig belongs to Tenant t1, but --cluster-name is shop. Use --cluster-name t1, or the kubeconfig of Tenant shop.";

    private readonly string _folder = Directory.CreateTempSubdirectory("kubelb-ccm-tests-").FullName;

    [Theory]
    [InlineData("system:serviceaccount:tenant-t1:kubelb-ccm", Swapped)]
    [InlineData("system:serviceaccount:tenant-t1:default", null)]
    [InlineData("system:serviceaccount:kubelb:kubelb-ccm", null)]
    [InlineData("system:serviceaccount:tenant-:kubelb-ccm", null)]
    [InlineData("system:serviceaccount:tenant-t1:kubelb-ccm2", null)]
    [InlineData("tenant-t1:kubelb-ccm", null)]
    [InlineData("admin", null)]
    public void User_of_a_Tenant_in_the_tenant_cluster_reports_swapped_kubeconfigs(string user, string? expected) =>
        ForeignCredentials.InTenantCluster(Forbidden(user)).Should().Be(expected);

    [Theory]
    [InlineData("system:serviceaccount:tenant-t1:kubelb-ccm", "shop", OtherTenant)]
    [InlineData("system:serviceaccount:tenant-t1:kubelb-ccm", "tenant-shop", OtherTenant)]
    [InlineData("system:serviceaccount:tenant-shop:kubelb-ccm", "shop", null)]
    [InlineData("system:serviceaccount:tenant-shop:kubelb-ccm", "tenant-shop", null)]
    [InlineData("system:serviceaccount:kubelb:kubelb-manager", "shop", null)]
    [InlineData("admin", "shop", null)]
    public void User_of_another_Tenant_in_the_management_cluster_reports_both_Tenants(string user, string clusterName, string? expected) =>
        ForeignCredentials.InManagementCluster(Forbidden(user), clusterName).Should().Be(expected);

    [Theory]
    [InlineData("")]
    [InlineData("no further explanation")]
    [InlineData("<html>403</html>")]
    public void Message_without_a_user_reports_nothing(string message)
    {
        ForeignCredentials.InTenantCluster(message).Should().BeNull();
        ForeignCredentials.InManagementCluster(message, "shop").Should().BeNull();
    }

    [Fact]
    public void Texts_with_the_longest_names_have_at_most_200_characters()
    {
        var (owner, other) = (new string('a', 30), new string('b', 30));

        Messages.SwappedKubeconfigs(new string('a', 56)).Length.Should().BeLessThanOrEqualTo(200);
        Messages.KubeconfigOfOtherTenant(owner, other).Length.Should().BeLessThanOrEqualTo(240);
        Messages.KubeconfigOfOtherTenant("team-payments", "team-checkout").Length.Should().BeLessThanOrEqualTo(200);
    }

    [Fact]
    public async Task Kubeconfig_of_another_Tenant_is_reported_once()
    {
        await using var fixture = await CcmFixture.CreateAsync();
        var token = await CredentialTests.TokenAsync(fixture.Management);
        var kubeconfig = Write("management", fixture.ManagementServer.KubeconfigFor(token));

        await fixture.StartCcmAsync(
            options => options with { ClusterName = "shop" },
            toManagement: () => Kubeconfig.Connect(kubeconfig, "kubelb-ccm-test")
        );

        (await fixture.WaitForProblemAsync("--cluster-name")).Should().Be($"cluster management: {OtherTenant}");
        fixture.Log.Warnings.Should().ContainSingle().Which.Should().Contain(OtherTenant);

        var findings = await ConnectionCheck.CheckAsync(
            new CcmOptions { ClusterName = "shop", EnableGatewayApi = true },
            new CcmConnections(() => fixture.TenantServer.CreateClient("check"), () => Kubeconfig.Connect(kubeconfig, "check")),
            TestContext.Current.CancellationToken
        );
        findings.Select(f => f.Text).Should().Contain($"Tenant shop: {OtherTenant}").And.Contain($"CCM: {OtherTenant}");
    }

    [Fact]
    public async Task Swapped_kubeconfigs_are_reported_once()
    {
        await using var fixture = await CcmFixture.CreateAsync();
        await fixture.CreateAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = CcmFixture.Namespace } });
        var token = await CredentialTests.TokenAsync(fixture.Tenant);
        var kubeconfig = Write("tenant", fixture.TenantServer.KubeconfigFor(token));

        await fixture.StartCcmAsync(
            options => options with { Kubeconfig = kubeconfig },
            toTenant: () => Kubeconfig.Connect(kubeconfig, "kubelb-ccm-test")
        );

        (await fixture.WaitForProblemAsync("swapped")).Should().Be($"cluster tenant: {Swapped}");
        fixture.Log.Warnings.Should().ContainSingle().Which.Should().Contain(Swapped);

        var findings = await ConnectionCheck.CheckAsync(
            new CcmOptions
            {
                ClusterName = "t1",
                Kubeconfig = kubeconfig,
                EnableGatewayApi = true,
            },
            new CcmConnections(() => Kubeconfig.Connect(kubeconfig, "check"), () => fixture.ManagementServer.CreateClient("check")),
            TestContext.Current.CancellationToken
        );
        findings.Select(f => f.Text).Should().Contain($"GatewayClass kubelb: {Swapped}").And.Contain($"Leader: {Swapped}");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, string kubeconfig)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, kubeconfig);
        return path;
    }

    private static string Forbidden(string user) =>
        $"routes.kubelb.k8c.io is forbidden: User \"{user}\" cannot list resource \"routes\" in API group \"kubelb.k8c.io\" "
        + "in the namespace \"tenant-shop\"";
}
