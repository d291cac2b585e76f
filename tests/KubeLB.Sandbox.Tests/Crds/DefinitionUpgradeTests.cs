using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>Upgrade of definitions with existing objects, as in <c>docs/operator/upgrade.md</c>.</summary>
public sealed class DefinitionUpgradeTests : IAsyncLifetime
{
    private static readonly string Folder = Path.Combine(SourceTree.Root, "charts/kubelb-manager/crds");

    private EmbeddedCluster.EmbeddedCluster _cluster = null!;
    private KubectlBinary _kubectl = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        _kubectl = new KubectlBinary(_cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _kubectl.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Definitions_installed_by_Helm_are_replaced_and_objects_kept()
    {
        var before = await InstallEarlierAsync();

        (await _kubectl.OkAsync($"replace -f {Folder}")).Lines.Should().HaveCount(7);

        await ExpectPresentAsync(before);
    }

    [Fact]
    public async Task Definitions_installed_by_Helm_conflict_with_server_side_apply_until_forced()
    {
        var before = await InstallEarlierAsync();

        var rejected = await _kubectl.RunAsync($"apply --server-side -f {Folder}");
        Assert.SkipWhen(
            rejected.Errors.Contains("not available on the server", StringComparison.Ordinal),
            "this API server has no server-side apply"
        );
        rejected.ExitCode.Should().NotBe(0);
        rejected.Errors.Should().Contain("conflict");
        await _kubectl.OkAsync($"apply --server-side --force-conflicts -f {Folder}");

        await ExpectPresentAsync(before);
        (await _kubectl.OkAsync($"apply --server-side -f {Folder}")).Lines.Should().HaveCount(7, "the same again has no conflict");
    }

    /// <summary>Creates definitions like Helm from a chart's <c>crds</c> folder, which Helm never updates, and a Tenant.</summary>
    /// <returns>The UID of the Tenant.</returns>
    private async Task<string> InstallEarlierAsync()
    {
        foreach (var definition in Directory.GetFiles(Folder, "*.yaml").Select(Earlier))
        {
            await _kubectl.OkAsync("create --field-manager=helm -f -", definition.ToJsonString());
        }

        await _kubectl.OkAsync(
            "create -f -",
            """{"apiVersion":"kubelb.k8c.io/v1alpha1","kind":"Tenant","metadata":{"name":"t1"},"spec":{"gatewayAPI":{"class":"eg"}}}"""
        );
        return (await _kubectl.OkAsync("get tenant t1 -o jsonpath={.metadata.uid}")).Text;
    }

    private async Task ExpectPresentAsync(string tenant)
    {
        (await _kubectl.OkAsync("explain tenants.kubelb.k8c.io.spec.allowedDomains")).Text.Should().Contain("Domains to which");
        (await _kubectl.OkAsync("get tenant t1"))
            .Columns(0)
            .Should()
            .Equal("NAME", "PHASE", "CCM", "LAST SEEN", "ROUTES", "GATEWAYS", "PROXIES", "ADDRESSES", "AGE");
        (await _kubectl.OkAsync("get tenant t1 -o jsonpath={.metadata.uid}{.spec.gatewayAPI.class}")).Text.Should().Be(tenant + "eg");
    }

    /// <summary>A definition of a version without descriptions.</summary>
    private static JsonObject Earlier(string file)
    {
        var definition = Yaml.Read(File.ReadAllText(file)).Single();
        definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["description"] = "An earlier version.";
        definition["spec"]!["versions"]![0]!["additionalPrinterColumns"]!.AsArray().RemoveAt(0);
        return definition;
    }
}
