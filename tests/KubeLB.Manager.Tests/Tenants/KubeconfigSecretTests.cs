using System.Text;
using k8s.Models;
using KubeLB.Manager.Tenants;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Tests.Tenants;

public sealed class KubeconfigSecretTests
{
    private const string Server = "https://a.example.com:6443";
    private static readonly byte[] Authority = Encoding.UTF8.GetBytes("ca");

    [Fact]
    public void Equivalent_kubeconfig_in_another_form_is_kept()
    {
        var ofGo =
            "apiVersion: v1\nclusters:\n- cluster: {certificate-authority-data: Y2E=, server: 'https://a.example.com:6443'}\n  name: c\n"
            + "contexts:\n- context: {cluster: c, user: u}\n  name: x\ncurrent-context: x\nkind: Config\nusers:\n- name: u\n  user: "
            + "{token: t}\n";

        KubeconfigSecret.Present(Holding(ofGo), Server, Authority, "t").Should().Be(ofGo);
        KubeconfigSecret.Present(Holding(ofGo), "https://b.example.com", Authority, "t").Should().BeNull();
        KubeconfigSecret.Present(Holding(ofGo), Server, Encoding.UTF8.GetBytes("other"), "t").Should().BeNull();
        KubeconfigSecret.Present(Holding(ofGo), Server, Authority, "new").Should().BeNull();
    }

    [Fact]
    public void Kubeconfig_of_this_manager_is_kept()
    {
        var own = CcmKubeconfig.Write(Server, Authority, "kubelb-ccm", "t", "tenant-t1");

        KubeconfigSecret.Present(Holding(own), Server, Authority, "t").Should().Be(own);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no: {yaml")]
    [InlineData("a: b")]
    [InlineData("- a\n- b\n")]
    public void Invalid_kubeconfig_is_replaced(string text) =>
        KubeconfigSecret.Present(Holding(text), Server, Authority, "t").Should().BeNull();

    [Fact]
    public void Secret_without_kubeconfig_key_is_filled()
    {
        KubeconfigSecret.Present(null, Server, Authority, "t").Should().BeNull();
        KubeconfigSecret.Present(new V1Secret(), Server, Authority, "t").Should().BeNull();
    }

    private static V1Secret Holding(string kubeconfig) =>
        new() { Data = new Dictionary<string, byte[]> { ["kubelb"] = Encoding.UTF8.GetBytes(kubeconfig) } };
}

public sealed class ClusterInfoTests
{
    [Fact]
    public void Cluster_info_returns_the_published_server() =>
        ClusterInfo
            .Server(Holding("apiVersion: v1\nkind: Config\nclusters:\n- name: ''\n  cluster:\n    server: https://a.example.com:6443\n"))
            .Should()
            .Be("https://a.example.com:6443");

    [Theory]
    [InlineData("")]
    [InlineData("no: {yaml")]
    [InlineData("a: b")]
    [InlineData("- a\n- b\n")]
    [InlineData("apiVersion: v1\nkind: Config\nclusters: []\n")]
    [InlineData("apiVersion: v1\nkind: Config\nclusters:\n- name: ''\n")]
    public void Cluster_info_with_invalid_kubeconfig_returns_nothing(string text) => ClusterInfo.Server(Holding(text)).Should().BeNull();

    [Fact]
    public void Missing_cluster_info_returns_nothing()
    {
        ClusterInfo.Server(null).Should().BeNull();
        ClusterInfo.Server(new V1ConfigMap()).Should().BeNull();
    }

    private static V1ConfigMap Holding(string kubeconfig) =>
        new() { Data = new Dictionary<string, string> { ["kubeconfig"] = kubeconfig } };
}
