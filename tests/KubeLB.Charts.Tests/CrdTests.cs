using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// The definitions in the charts are those of <c>deploy/crds</c>, and not templates: Helm neither upgrades nor deletes them.
/// </summary>
public sealed class CrdTests
{
    private static readonly string Source = Path.Combine(SourceTree.Root, "deploy", "crds");

    [Theory]
    [InlineData(Chart.Manager, "kubelb.k8c.io_*.yaml", 7)]
    [InlineData(Chart.Ccm, "kubelb.k8c.io_syncsecrets.yaml", 1)]
    public void Chart_CRDs_equal_those_of_deploy(string chart, string pattern, int count)
    {
        var copies = Directory.CreateDirectory(Path.Combine(Chart.FolderOf(chart), "crds")).FullName;
        var definitions = Directory.GetFiles(Source, pattern);
        if (Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1")
        {
            foreach (var file in definitions)
            {
                File.Copy(file, Path.Combine(copies, Path.GetFileName(file)), overwrite: true);
            }
        }

        definitions.Should().HaveCount(count);
        Directory.GetFiles(copies).Select(Path.GetFileName).Should().BeEquivalentTo(definitions.Select(Path.GetFileName));
        foreach (var file in definitions)
        {
            File.ReadAllText(Path.Combine(copies, Path.GetFileName(file)))
                .Should()
                .Be(File.ReadAllText(file), "copy it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Charts.Tests");
        }
    }

    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public void Chart_templates_create_no_CRD(string chart) =>
        Directory
            .GetFiles(Path.Combine(Chart.FolderOf(chart), "templates"), "*", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file).Contains("kind: CustomResourceDefinition", StringComparison.Ordinal))
            .Should()
            .BeEmpty("helm uninstall would delete it, and every Tenant and Route with it");
}
