using System.Text;
using k8s;
using k8s.KubeConfigModels;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class CcmKubeconfigTests
{
    [Theory]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.eyJhIjoiYiJ9.c2ln")]
    [InlineData("a \"token\": with\nwhat YAML # would stumble over")]
    public void Kubeconfig_is_parsed_with_the_same_values(string token)
    {
        var authority = "-----BEGIN CERTIFICATE-----\n"u8;

        var read = KubernetesYaml.Deserialize<K8SConfiguration>(
            CcmKubeconfig.Write("https://[2001:db8::1]:6443", authority, "kubelb-ccm", token, "tenant-t"),
            strict: true
        );

        var context = read.Contexts.Single();
        read.CurrentContext.Should().Be(context.Name);
        context.ContextDetails.Namespace.Should().Be("tenant-t");
        var cluster = read.Clusters.Single(c => c.Name == context.ContextDetails.Cluster).ClusterEndpoint;
        cluster.Server.Should().Be("https://[2001:db8::1]:6443");
        Encoding.UTF8.GetString(Convert.FromBase64String(cluster.CertificateAuthorityData)).Should().Be("-----BEGIN CERTIFICATE-----\n");
        read.Users.Single(u => u.Name == context.ContextDetails.User).UserCredentials.Token.Should().Be(token);
    }

    [Fact]
    public void Kubeconfig_without_authority_has_no_certificate() =>
        CcmKubeconfig.Write("http://127.0.0.1:8080", [], "u", "t", "n").Should().NotContain("certificate-authority");
}
