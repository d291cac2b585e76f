using System.Xml.Linq;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// Charts, images and executables have one version; the release workflow pushes images under the tag that the charts name.
/// </summary>
public sealed class VersionTests
{
    [Theory]
    [InlineData(Chart.Manager)]
    [InlineData(Chart.Ccm)]
    public void Chart_has_the_version_of_the_executables(string chart)
    {
        var version = XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Build.props")).Descendants("Version").Single().Value;
        var metadata = Yaml.Read(File.ReadAllText(Path.Combine(Chart.FolderOf(chart), "Chart.yaml"))).Single();

        ((string?)metadata["version"]).Should().Be(version);
        ((string?)metadata["appVersion"]).Should().Be("v" + version);
    }

    [Fact]
    public void Release_image_tags_match_the_charts() =>
        File.ReadAllText(Path.Combine(SourceTree.Root, ".github", "workflows", "release.yml"))
            .Should()
            .Contain(":v${{ steps.version.outputs.version }}");
}
