using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>Output of <c>kubectl explain</c> and <c>kubectl get</c> for KubeLB's kinds.</summary>
public sealed class ExplainTests : IAsyncLifetime
{
    private EmbeddedCluster.EmbeddedCluster _cluster = null!;
    private KubectlBinary _kubectl = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        await _cluster.InstallCrdsAsync(CrdResources.Management);
        _kubectl = new KubectlBinary(_cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _kubectl.Dispose();
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData("configs.kubelb.k8c.io", "Settings for all tenants.")]
    [InlineData("configs.kubelb.k8c.io.spec.envoyProxy.tolerations.effect", "Effect of the taint")]
    [InlineData("configs.kubelb.k8c.io.status.conditions.reason", "Why status has its value")]
    [InlineData("tenants.kubelb.k8c.io.spec.allowedDomains", "Domains to which the hostnames of listeners and routes must belong.")]
    [InlineData("tenantstates.kubelb.k8c.io.status.gatewayAPI", "State of Gateway API.")]
    [InlineData("addresses.kubelb.k8c.io.spec.addresses.hostname", "Host name of the node.")]
    [InlineData("routes.kubelb.k8c.io.spec.source.kubernetes.resource", "The tenant's object")]
    [InlineData("routes.kubelb.k8c.io.status.resources.services.ports.targetPort", "Port of the tenant's proxies")]
    [InlineData("loadbalancers.kubelb.k8c.io.status.service.ports.upstreamTargetPort", "Port of the tenant's nodes.")]
    [InlineData("syncsecrets.kubelb.k8c.io.data", "Content by key, in base64.")]
    public async Task Explain_shows_the_description_of_a_field(string path, string description) =>
        (await _kubectl.OkAsync($"explain {path}")).Text.ReplaceLineEndings(" ").Should().Contain(description);

    [Fact]
    public async Task Explain_lists_every_field_of_every_kind()
    {
        foreach (var (kind, definition) in DefinitionFile.In(Path.Combine(SourceTree.Root, "deploy/crds")))
        {
            var names = definition.Schemas().Where(s => DefinitionFile.IsField(s.Path)).Select(s => s.Path.Split('.')[^1]).Distinct();

            var explained = (await _kubectl.OkAsync($"explain {kind} --api-version=kubelb.k8c.io/v1alpha1 --recursive")).Text;

            explained.Split('\n').Select(line => line.Trim().Split('\t', ' ')[0]).Should().Contain(names, kind);
        }
    }

    [Fact]
    public async Task Get_shows_the_versions_of_manager_and_CCMs()
    {
        await _kubectl.OkAsync(
            "apply -f -",
            """
            {"apiVersion":"v1","kind":"List","items":[
              {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kubelb"}},
              {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"tenant-t1"}},
              {"apiVersion":"kubelb.k8c.io/v1alpha1","kind":"Config","metadata":{"name":"default","namespace":"kubelb"},"spec":{}},
              {"apiVersion":"kubelb.k8c.io/v1alpha1","kind":"Addresses",
               "metadata":{"name":"default","namespace":"tenant-t1","annotations":{"kubelb.k8c.io/ccm-version":"0.1.0",
                 "kubelb.k8c.io/last-seen":"2026-11-29T08:00:00Z"}},
               "spec":{"addresses":[{"ip":"10.0.0.2"}]}}]}
            """
        );
        await _kubectl.OkAsync(
            "-n kubelb patch configs.kubelb.k8c.io default --subresource=status --type=merge "
                + """-p '{"status":{"version":{"gitVersion":"0.1.0","edition":"CE"}}}'"""
        );

        var config = await _kubectl.OkAsync("-n kubelb get configs.kubelb.k8c.io");
        var addresses = await _kubectl.OkAsync("get addresses -A");

        config.Columns(0).Should().Equal("NAME", "EDITION", "VERSION", "AGE");
        config.Columns(1).Take(3).Should().Equal("default", "CE", "0.1.0");
        addresses.Columns(0).Should().Equal("NAMESPACE", "NAME", "ACCEPTED", "CCM", "AGE");
        addresses.Lines[1].Should().Contain("0.1.0");
    }
}
