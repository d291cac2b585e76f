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
    public void Kubeconfig_in_another_form_that_says_the_same_stays()
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
    public void Kubeconfig_of_this_manager_stays()
    {
        var own = CcmKubeconfig.Write(Server, Authority, "kubelb-ccm", "t", "tenant-t1");

        KubeconfigSecret.Present(Holding(own), Server, Authority, "t").Should().Be(own);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no: {yaml")]
    [InlineData("a: b")]
    [InlineData("- a\n- b\n")]
    public void Text_that_is_not_a_kubeconfig_is_replaced(string text) =>
        KubeconfigSecret.Present(Holding(text), Server, Authority, "t").Should().BeNull();

    [Fact]
    public void Secret_without_the_key_is_filled()
    {
        KubeconfigSecret.Present(null, Server, Authority, "t").Should().BeNull();
        KubeconfigSecret.Present(new V1Secret(), Server, Authority, "t").Should().BeNull();
    }

    private static V1Secret Holding(string kubeconfig) =>
        new() { Data = new Dictionary<string, byte[]> { ["kubelb"] = Encoding.UTF8.GetBytes(kubeconfig) } };
}
