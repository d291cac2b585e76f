using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// What the charts render: <c>testdata/CHART/*.values.yaml</c> are the values, <c>*.out.yaml</c> the objects. Rewritten with
/// <c>KUBELB_UPDATE_GOLDEN=1</c>.
/// </summary>
public sealed class RenderingTests
{
    private const string Values = ".values.yaml";

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var chart in Chart.Names)
        {
            foreach (var name in Folder(chart).Cases())
            {
                cases.Add(chart, name);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Values_render_the_recorded_objects(string chart, string name)
    {
        var values = Path.Combine(SourceTree.Root, "tests", "KubeLB.Charts.Tests", "testdata", chart, name + Values);

        Folder(chart).Check(name, await Chart.RenderAsync(chart, "--values", values));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Chart_lint_reports_no_warning(string chart, string name)
    {
        using var helm = new HelmBinary();
        var values = Path.Combine(SourceTree.Root, "tests", "KubeLB.Charts.Tests", "testdata", chart, name + Values);

        var output = await helm.OkAsync("lint", "--strict", Chart.FolderOf(chart), "--values", values);

        output.Text.Should().Contain("0 chart(s) failed").And.NotContain("[WARNING]");
    }

    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public async Task Deployment_selector_is_unchanged_since_the_first_release(string chart)
    {
        var objects = Yaml.Read(
            await Chart.RenderAsync(chart, [.. Chart.Required(chart), "--set", "commonLabels.team=a", "--set", "podLabels.b=c"])
        );
        var deployment = objects.Single(o => (string?)o["kind"] == "Deployment");

        deployment["spec"]!["selector"]!
            .ToJsonString()
            .Should()
            .Be(
                $$$"""{"matchLabels":{"app.kubernetes.io/name":"{{{chart}}}","app.kubernetes.io/instance":"{{{chart}}}"}}""",
                "the selector of a Deployment is immutable, so that every upgrade would fail"
            );
        deployment["spec"]!["template"]!["metadata"]!["labels"]!.AsObject().Should().ContainKeys("app.kubernetes.io/name", "team", "b");
    }

    [Fact]
    public async Task Helm_test_pod_is_not_selected_by_Service_or_PodDisruptionBudget()
    {
        foreach (var chart in Chart.Names)
        {
            var objects = Yaml.Read(await Chart.RenderAsync(chart, Chart.Required(chart)));
            var pod = objects.Single(o => (string?)o["kind"] == "Pod");

            ((string?)pod["metadata"]!["labels"]!["app.kubernetes.io/name"]).Should().Be(chart + "-test");
        }
    }

    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public void Every_golden_output_has_a_values_file(string chart)
    {
        var folder = Path.Combine(SourceTree.Root, "tests", "KubeLB.Charts.Tests", "testdata", chart);

        Directory
            .GetFiles(folder, "*" + GoldenFolder.Out)
            .Select(f => Path.GetFileName(f)[..^GoldenFolder.Out.Length])
            .Should()
            .BeEquivalentTo(Folder(chart).Cases());
    }

    private static GoldenFolder Folder(string chart) => new("KubeLB.Charts.Tests", chart, chart, Values);
}
