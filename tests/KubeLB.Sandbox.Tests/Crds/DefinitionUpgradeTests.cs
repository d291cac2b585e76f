using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>The definitions of an earlier version are replaced as <c>docs/upgrade.md</c> says, under objects that exist.</summary>
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
    public async Task Definitions_that_Helm_installed_are_replaced_and_objects_stay()
    {
        var before = await InstallEarlierAsync();

        (await _kubectl.OkAsync($"replace -f {Folder}")).Lines.Should().HaveCount(7);

        await ExpectPresentAsync(before);
    }

    [Fact]
    public async Task Definitions_that_Helm_installed_conflict_with_a_server_side_apply_unless_it_is_forced()
    {
        var before = await InstallEarlierAsync();

        var refused = await _kubectl.RunAsync($"apply --server-side -f {Folder}");
        Assert.SkipWhen(
            refused.Errors.Contains("not available on the server", StringComparison.Ordinal),
            "this API server has no server-side apply"
        );
        refused.ExitCode.Should().NotBe(0);
        refused.Errors.Should().Contain("conflict");
        await _kubectl.OkAsync($"apply --server-side --force-conflicts -f {Folder}");

        await ExpectPresentAsync(before);
        (await _kubectl.OkAsync($"apply --server-side -f {Folder}")).Lines.Should().HaveCount(7, "the same again has no conflict");
    }

    /// <summary>
    /// Creates definitions as Helm creates the files of a chart's folder <c>crds</c>, which it never changes later, and a Tenant.
    /// </summary>
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
        (await _kubectl.OkAsync("get tenant t1")).Columns(0).Should().Equal("NAME", "PHASE", "AGE");
        (await _kubectl.OkAsync("get tenant t1 -o jsonpath={.metadata.uid}{.spec.gatewayAPI.class}")).Text.Should().Be(tenant + "eg");
    }

    /// <summary>A definition as a version without descriptions had it.</summary>
    private static JsonObject Earlier(string file)
    {
        var definition = Yaml.Read(File.ReadAllText(file)).Single();
        definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["description"] = "An earlier version.";
        definition["spec"]!["versions"]![0]!["additionalPrinterColumns"]!.AsArray().RemoveAt(0);
        return definition;
    }
}
