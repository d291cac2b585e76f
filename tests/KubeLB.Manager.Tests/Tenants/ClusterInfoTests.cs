using k8s.Models;
using KubeLB.Manager.Tenants;

namespace KubeLB.Manager.Tests.Tenants;

public sealed class ClusterInfoTests
{
    [Fact]
    public void The_server_of_the_published_kubeconfig_is_read() =>
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
    public void What_is_no_kubeconfig_says_nothing(string text) => ClusterInfo.Server(Holding(text)).Should().BeNull();

    [Fact]
    public void What_is_not_there_says_nothing()
    {
        ClusterInfo.Server(null).Should().BeNull();
        ClusterInfo.Server(new V1ConfigMap()).Should().BeNull();
    }

    private static V1ConfigMap Holding(string kubeconfig) =>
        new() { Data = new Dictionary<string, string> { ["kubeconfig"] = kubeconfig } };
}
