using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Manager.Tests.Documentation;

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
    public void A_threat_names_tests_that_exist(string line)
    {
        var names = Name().Matches(line.Trim('|').Split('|')[^1]).Select(match => match.Groups[1].Value).ToList();

        names.Should().NotBeEmpty("a threat that nothing tests is not stopped");
        foreach (var name in names.Select(n => n.Split('.')))
        {
            Classes.Should().ContainKey(name[0]);
            Classes[name[0]]
                .Should()
                .MatchRegex(
                    name.Length == 1
                        ? @"\[(Fact|Theory)\]"
                        : $@"\[(Fact|Theory)\][^;{{}}]*?(\[[^\n]*\]\s*)*public [\w<>]+( [\w<>]+)? {name[1]}\("
                );
        }
    }

    [Fact]
    public void There_are_threats_of_every_part() => Lines.Count(IsThreat).Should().BeGreaterThan(30);

    private static bool IsThreat(string line) =>
        line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| what a tenant could try", StringComparison.Ordinal);

    [GeneratedRegex(@"^(?:public|internal) (?:sealed )?(?:partial )?class (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"`([A-Za-z]+(?:\.\w+)?)`")]
    private static partial Regex Name();
}
