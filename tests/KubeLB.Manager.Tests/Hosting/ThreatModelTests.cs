using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Manager.Tests.Hosting;

/// <summary>docs/security.md names a test for each threat, and each of them exists.</summary>
public sealed partial class ThreatModelTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "security.md"));

    private static readonly Dictionary<string, string> Classes = Directory
        .EnumerateFiles(Path.Combine(SourceTree.Root, "tests"), "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .Select(File.ReadAllText)
        .SelectMany(text => Declaration().Matches(text).Select(match => (Name: match.Groups[1].Value, Text: text)))
        .GroupBy(declared => declared.Name, declared => declared.Text)
        .ToDictionary(group => group.Key, group => string.Concat(group));

    public static TheoryData<string> Threats => [.. Lines.Where(IsThreat)];

    [Theory]
    [MemberData(nameof(Threats))]
    public void Threat_names_only_existing_tests(string line)
    {
        var names = Name().Matches(line.Trim('|').Split('|')[^1]).Select(match => match.Groups[1].Value).ToList();

        names.Should().NotBeEmpty("every threat needs a test");
        foreach (var name in names.Select(n => n.Split('.')))
        {
            Classes.Should().ContainKey(name[0]);
            Tests(Classes[name[0]]).Should().Contain(test => name.Length == 1 || test == name[1], "{0} is a test", string.Join('.', name));
        }
    }

    [Fact]
    public void Threat_model_covers_every_part() => Lines.Count(IsThreat).Should().BeGreaterThan(30);

    // Methods with an attribute Fact or Theory: their declarations are separated by blank lines.
    private static IEnumerable<string> Tests(string text) =>
        text.Split("\n\n")
            .Where(block => block.Contains("[Fact]", StringComparison.Ordinal) || block.Contains("[Theory]", StringComparison.Ordinal))
            .SelectMany(block => Method().Matches(block).Select(match => match.Groups[1].Value));

    private static bool IsThreat(string line) =>
        line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| what a tenant could try", StringComparison.Ordinal);

    [GeneratedRegex(@"^(?:public|internal) (?:sealed )?(?:partial )?class (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^    public (?:async )?\w+ (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Method();

    [GeneratedRegex(@"`([A-Za-z]+(?:\.\w+)?)`")]
    private static partial Regex Name();
}
