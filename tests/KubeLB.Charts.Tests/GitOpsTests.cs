using System.Text.RegularExpressions;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// The manifests of docs/operator/argocd.md and docs/operator/flux.md name charts of this repository and values that they accept.
/// </summary>
public sealed partial class GitOpsTests
{
    [Theory]
    [InlineData("argocd.md", "Application", new[] { Chart.Manager, Chart.Ccm })]
    [InlineData("flux.md", "HelmRelease", new[] { Chart.Manager, Chart.Ccm })]
    public async Task Values_of_the_manifests_are_rendered(string page, string kind, string[] charts)
    {
        var releases = Block()
            .Matches(await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "operator", page)))
            .SelectMany(block => Yaml.Read(block.Groups["text"].Value))
            .Where(manifest => (string?)manifest["kind"] == kind)
            .Select(manifest => manifest["spec"]!)
            .Select(spec =>
                kind == "Application"
                    ? (Path: (string?)spec["source"]!["path"], Values: spec["source"]!["helm"]!["valuesObject"])
                    : (Path: (string?)spec["chart"]?["spec"]!["chart"], Values: spec["values"])
            )
            .Where(release => release.Path is not null)
            .ToList();

        releases.Select(release => Path.GetFileName(release.Path)).Should().Equal(charts);
        foreach (var (path, values) in releases)
        {
            path.Should().MatchRegex("^(./)?charts/", "it is a folder of this repository");
            var file = Path.GetTempFileName();
            try
            {
                await File.WriteAllTextAsync(file, Yaml.Write([values!.AsObject().DeepClone().AsObject()]));
                var rendered = Yaml.Read(await Chart.RenderAsync(Path.GetFileName(path)!, "--values", file));
                rendered.Select(o => (string?)o["kind"]).Should().Contain("Deployment");
                if (Path.GetFileName(path) == Chart.Manager)
                {
                    rendered.Single(o => (string?)o["kind"] == "Config")["spec"]!
                        ["apiServerURL"]
                        .Should()
                        .NotBeNull("the tenants' kubeconfigs need it");
                }
            }
            finally
            {
                File.Delete(file);
            }
        }
    }

    [GeneratedRegex("```yaml\n(?<text>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Block();
}
