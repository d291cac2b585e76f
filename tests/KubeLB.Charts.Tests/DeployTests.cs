using System.Text.Json.Nodes;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// <c>deploy/</c>: what the charts render with their default values, for kustomize and for <c>kubectl apply -f</c>. Rewritten with
/// <c>KUBELB_UPDATE_GOLDEN=1</c>.
/// </summary>
public sealed class DeployTests
{
    private static readonly bool Update = Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1";

    [Theory]
    [InlineData("manager", Chart.Manager)]
    [InlineData("ccm", Chart.Ccm)]
    public async Task Base_and_single_file_equal_the_rendered_chart(string side, string chart)
    {
        var rendered = await Chart.RenderAsync(chart, chart == Chart.Ccm ? ["--set", "kubelb.tenantName=placeholder"] : []);
        var objects = Yaml.Read(rendered).Where(o => o["metadata"]!["annotations"]?["helm.sh/hook"] is null).Select(WithoutHelm);
        Check(PathOf(side, "base", side + ".yaml"), Yaml.Write(objects).Replace("=placeholder", "=TENANT", StringComparison.Ordinal));

        Check(Path.Combine(SourceTree.Root, "deploy", side + ".yaml"), await KustomizeAsync(PathOf(side, "base")));
    }

    [Theory]
    [InlineData("manager", "one-replica", "replicas: 1")]
    [InlineData("manager", "prometheus-operator", "kind: ServiceMonitor")]
    [InlineData("ccm", "one-replica", "replicas: 1")]
    [InlineData("ccm", "example", "--cluster-name=shop")]
    public async Task Overlay_builds(string side, string overlay, string contains)
    {
        var objects = await KustomizeAsync(PathOf(side, "overlays", overlay));

        objects.Should().Contain(contains);
    }

    [Fact]
    public void Every_overlay_is_tested() =>
        Directory
            .GetDirectories(Path.Combine(SourceTree.Root, "deploy"), "*", SearchOption.AllDirectories)
            .Where(folder => Path.GetFileName(Path.GetDirectoryName(folder)) == "overlays")
            .Select(folder => Path.GetRelativePath(Path.Combine(SourceTree.Root, "deploy"), folder))
            .Should()
            .BeEquivalentTo(
                "manager/overlays/one-replica",
                "manager/overlays/prometheus-operator",
                "ccm/overlays/one-replica",
                "ccm/overlays/example"
            );

    [Fact]
    public async Task Single_files_are_accepted_by_an_API_server()
    {
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        using var kubectl = new KubectlBinary(cluster.KubeconfigYaml);
        await cluster.InstallCrdsAsync([
            await File.ReadAllTextAsync(
                Path.Combine(SourceTree.Root, "tools", "KubeLB.Sandbox", "Crds", "gateway.networking.k8s.io_gatewayclasses.yaml")
            ),
        ]);

        foreach (var side in new[] { "manager", "ccm" })
        {
            var output = await kubectl.OkAsync($"apply -f {Path.Combine(SourceTree.Root, "deploy", side + ".yaml")}");

            output
                .Lines.Should()
                .OnlyContain(line =>
                    line.EndsWith(" created", StringComparison.Ordinal) || line.EndsWith(" unchanged", StringComparison.Ordinal)
                );
        }
    }

    private static string PathOf(params string[] parts) => Path.Combine([SourceTree.Root, "deploy", .. parts]);

    private static async Task<string> KustomizeAsync(string folder)
    {
        using var kubectl = new KubectlBinary("");
        return (await kubectl.OkAsync($"kustomize {folder}")).Text;
    }

    private static void Check(string file, string text)
    {
        if (Update)
        {
            File.WriteAllText(file, text);
        }

        File.Exists(file)
            .Should()
            .BeTrue($"{file} is missing; write it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Charts.Tests");
        text.Should()
            .Be(
                File.ReadAllText(file),
                $"{file} is generated; write it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Charts.Tests"
            );
    }

    // Labels and annotations that only Helm sets have no meaning for objects that it does not manage.
    private static JsonObject WithoutHelm(JsonObject value)
    {
        foreach (var metadata in new[] { value["metadata"], value["spec"]?["template"]?["metadata"] }.OfType<JsonObject>())
        {
            foreach (
                var (map, key) in new[]
                {
                    ("labels", "helm.sh/chart"),
                    ("labels", "app.kubernetes.io/managed-by"),
                    ("annotations", "helm.sh/resource-policy"),
                }
            )
            {
                if (metadata[map] is JsonObject entries && entries.Remove(key) && entries.Count == 0)
                {
                    metadata.Remove(map);
                }
            }
        }

        return value;
    }
}
