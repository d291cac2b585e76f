using System.Text.RegularExpressions;
using System.Xml.Linq;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.Packaging;

/// <summary>
/// What a Dockerfile repeats of the projects is compared with them. <c>ImageTests</c> of the end-to-end tests runs its steps.
/// </summary>
public sealed class DockerfileTests
{
    [Theory]
    [InlineData("Dockerfile.ccm", "src/KubeLB.Ccm/KubeLB.Ccm.csproj")]
    [InlineData("Dockerfile.manager", "src/KubeLB.Manager/KubeLB.Manager.csproj")]
    public void Dockerfile_publishes_the_project_and_starts_its_assembly(string dockerfile, string project)
    {
        var text = Read(dockerfile);
        var published = Regex.Match(text, @"dotnet publish (\S+)").Groups[1].Value;
        var restored = Regex.Match(text, @"dotnet restore (\S+)").Groups[1].Value;
        var started = Regex.Match(text, @"^ENTRYPOINT \[""dotnet"", ""/app/(.+)\.dll""\]$", RegexOptions.Multiline).Groups[1].Value;
        var assembly = XDocument.Load(Path.Combine(SourceTree.Root, project)).Descendants("AssemblyName").Single().Value;

        published.Should().Be(project);
        restored.Should().Be(project);
        started.Should().Be(assembly);
    }

    // A project that is missing makes the restore fail; one too many invalidates the layer for nothing.
    [Theory]
    [InlineData("Dockerfile.ccm", "src/KubeLB.Ccm/KubeLB.Ccm.csproj")]
    [InlineData("Dockerfile.manager", "src/KubeLB.Manager/KubeLB.Manager.csproj")]
    public void Dockerfile_copies_the_projects_of_its_assembly_before_the_restore(string dockerfile, string project)
    {
        var copied = Regex.Matches(
            Read(dockerfile).Split("dotnet restore")[0],
            @"^COPY (\S+\.csproj) (\S+)/packages\.lock\.json (\S+)/$",
            RegexOptions.Multiline
        );

        copied.Select(c => c.Groups[1].Value).Should().BeEquivalentTo(Closure(project));
        copied
            .Should()
            .OnlyContain(c => Path.GetDirectoryName(c.Groups[1].Value) == c.Groups[2].Value && c.Groups[2].Value == c.Groups[3].Value);
    }

    [Theory]
    [InlineData("Dockerfile.ccm")]
    [InlineData("Dockerfile.manager")]
    public void Dockerfile_uses_a_base_image_without_shell_of_the_projects_framework(string dockerfile)
    {
        var framework = Property("TargetFramework")["net".Length..];
        var images = Regex
            .Matches(Read(dockerfile), @"^FROM (?:--platform=\S+ )?(\S+)", RegexOptions.Multiline)
            .Select(m => m.Groups[1].Value);

        images
            .Should()
            .Equal($"mcr.microsoft.com/dotnet/sdk:{framework}-noble", $"mcr.microsoft.com/dotnet/aspnet:{framework}-noble-chiseled");
    }

    [Theory]
    [InlineData("Dockerfile.ccm")]
    [InlineData("Dockerfile.manager")]
    public void Dockerfile_labels_the_image_with_version_and_licence_of_the_projects(string dockerfile)
    {
        var text = Read(dockerfile);
        var labels = Regex
            .Matches(text, @"org\.opencontainers\.image\.(\w+)=""([^""]+)""")
            .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);

        Regex.Match(text, @"^ARG VERSION=(.+)$", RegexOptions.Multiline).Groups[1].Value.Should().Be(Property("Version"));
        labels.Keys.Should().BeEquivalentTo("title", "description", "source", "licenses", "version", "revision");
        labels["licenses"].Should().Be(Property("PackageLicenseExpression"));
        labels["version"].Should().Be("$VERSION");
        labels["revision"].Should().Be("$REVISION");
    }

    private static string Read(string dockerfile) => File.ReadAllText(Path.Combine(SourceTree.Root, dockerfile));

    private static string Property(string name) =>
        XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Build.props")).Descendants(name).Single().Value;

    private static HashSet<string> Closure(string project)
    {
        var found = new HashSet<string> { project };
        foreach (var reference in XDocument.Load(Path.Combine(SourceTree.Root, project)).Descendants("ProjectReference"))
        {
            var path = Path.Combine(
                SourceTree.Root,
                Path.GetDirectoryName(project)!,
                reference.Attribute("Include")!.Value.Replace('\\', '/')
            );
            found.UnionWith(Closure(Path.GetRelativePath(SourceTree.Root, Path.GetFullPath(path))));
        }

        return found;
    }
}
