using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>The definitions in the manager's chart are those of <c>deploy/crds</c>, and not templates: Helm neither upgrades nor deletes them.</summary>
public sealed class CrdTests
{
    private static readonly string Source = Path.Combine(SourceTree.Root, "deploy", "crds");
    private static readonly string Copies = Path.Combine(Chart.FolderOf(Chart.Manager), "crds");

    [Fact]
    public void Chart_holds_the_definitions_of_deploy()
    {
        var definitions = Directory.GetFiles(Source, "kubelb.k8c.io_*.yaml").Order(StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1")
        {
            definitions.ForEach(file => File.Copy(file, Path.Combine(Copies, Path.GetFileName(file)), overwrite: true));
        }

        Directory.GetFiles(Copies).Select(Path.GetFileName).Should().BeEquivalentTo(definitions.Select(Path.GetFileName));
        foreach (var file in definitions)
        {
            File.ReadAllText(Path.Combine(Copies, Path.GetFileName(file))).Should().Be(
                File.ReadAllText(file), "copy it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Charts.Tests");
        }
    }

    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public void No_template_makes_a_definition(string chart) =>
        Directory.GetFiles(Path.Combine(Chart.FolderOf(chart), "templates"), "*", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file).Contains("kind: CustomResourceDefinition", StringComparison.Ordinal))
            .Should().BeEmpty("helm uninstall would delete it, and every Tenant and Route with it");
}
