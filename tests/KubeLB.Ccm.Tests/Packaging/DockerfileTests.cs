using System.Text.RegularExpressions;
using System.Xml.Linq;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.Packaging;

/// <summary>The images cannot be built in a test; what they publish and start is compared with the projects.</summary>
public sealed class DockerfileTests
{
    [Theory]
    [InlineData("Dockerfile.ccm", "src/KubeLB.Ccm/KubeLB.Ccm.csproj")]
    [InlineData("Dockerfile.manager", "src/KubeLB.Manager/KubeLB.Manager.csproj")]
    public void It_publishes_the_project_and_starts_its_assembly(string dockerfile, string project)
    {
        var text = File.ReadAllText(Path.Combine(SourceTree.Root, dockerfile));
        var published = Regex.Match(text, @"dotnet publish (\S+)").Groups[1].Value;
        var started = Regex.Match(text, @"^ENTRYPOINT \[""dotnet"", ""(.+)\.dll""\]$", RegexOptions.Multiline).Groups[1].Value;
        var assembly = XDocument.Load(Path.Combine(SourceTree.Root, project)).Descendants("AssemblyName").Single().Value;

        published.Should().Be(project);
        started.Should().Be(assembly);
    }

    [Theory]
    [InlineData("Dockerfile.ccm")]
    [InlineData("Dockerfile.manager")]
    public void It_runs_on_the_framework_of_the_projects_and_not_as_root(string dockerfile)
    {
        var text = File.ReadAllText(Path.Combine(SourceTree.Root, dockerfile));
        var framework = XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Build.props")).Descendants("TargetFramework").Single().Value;
        var versions = Regex.Matches(text, @"^FROM \S+:(\S+)", RegexOptions.Multiline).Select(m => "net" + m.Groups[1].Value);
        var user = Regex.Match(text, @"^USER (\d+)", RegexOptions.Multiline).Groups[1].Value;

        versions.Should().HaveCount(2).And.AllBe(framework);
        user.Should().NotBeEmpty().And.NotBe("0");
    }
}
