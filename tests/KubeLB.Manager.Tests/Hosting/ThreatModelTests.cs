using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.Manager.Tests.Hosting;

/// <summary>
/// The threat model: docs/reference/threats.yaml lists threats, mitigations and the attacks that were tried, and each has a test with its
/// trait "Threat". docs/reference/threats.md and docs/reference/attacks.md are generated from both with <c>KUBELB_UPDATE_GOLDEN=1</c>.
/// </summary>
public sealed partial class ThreatModelTests
{
    private const string Rewrite = "write it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Manager.Tests";

    private static readonly string Docs = Path.Combine(SourceTree.Root, "docs");
    private static readonly JsonObject Model = Yaml.Read(File.ReadAllText(Path.Combine(Docs, "reference", "threats.yaml"))).Single();
    private static readonly ILookup<string, string> Tests = TestsByThreat();

    public static TheoryData<string> Threats => [.. Sections().SelectMany(section => Objects(section, "threats")).Select(Id)];

    public static TheoryData<string> Attacks => [.. Objects(Model, "attacks").Select(Id)];

    [Theory]
    [MemberData(nameof(Threats))]
    public void Threat_has_a_test(string id) => Tests[id].Should().NotBeEmpty("a test must have [Trait(\"Threat\", \"{0}\")]", id);

    [Fact]
    public void Threats_of_tests_are_in_the_model() =>
        Tests
            .Select(group => group.Key)
            .Except(Threats.Select(row => row.Data))
            .Should()
            .BeEmpty("docs/reference/threats.yaml lists every threat");

    [Fact]
    public void Names_of_threats_are_unique() => Threats.Select(row => row.Data).Should().OnlyHaveUniqueItems();

    [Fact]
    public void Attacks_are_those_of_the_review_in_order() =>
        Attacks.Select(row => row.Data).Should().Equal(Enumerable.Range(1, 107).Select(id => $"{id}"));

    [Theory]
    [MemberData(nameof(Attacks))]
    public void Attack_is_stopped_or_harmless_and_has_a_test(string id)
    {
        var attack = Objects(Model, "attacks").Single(a => Id(a) == id);

        Text(attack, "verdict").Should().BeOneOf("stopped", "harmless");
        Text(attack, "because").Should().NotBeEmpty();
        ThreatsOf(attack).Should().NotBeEmpty().And.BeSubsetOf(Threats.Select(row => row.Data));
    }

    [Fact]
    public void Page_of_threats_is_generated() => Check("threats.md", ThreatPage());

    [Fact]
    public void Page_of_attacks_is_generated() => Check("attacks.md", AttackPage());

    private static void Check(string page, string generated)
    {
        var file = Path.Combine(Docs, "reference", page);
        if (Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(file, generated);
        }

        (File.Exists(file) ? File.ReadAllText(file) : "").Should().Be(generated, Rewrite);
    }

    private static string ThreatPage()
    {
        var text = new StringBuilder(
            """
            # Threats and mitigations
            This page is generated from [threats.yaml](threats.yaml) (`KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Manager.Tests`).

            What could be tried, the mitigation, and the tests that prove it. [Threat model](../operator/security.md) says who is trusted
            and what is not mitigated; [attacks.md](attacks.md) lists the attacks that were tried.

            """
        );
        foreach (var section in Sections())
        {
            text.Append($"\n## {Text(section, "name")}\n");
            text.Append(Text(section, "note") is { Length: > 0 } note ? $"{note}\n\n" : "").Append(Table(section));
        }

        return text.ToString();
    }

    private static string Table(JsonObject section)
    {
        var text = new StringBuilder().Append($"| {Text(section, "who")} | mitigation | tests |\n|---|---|---|\n");
        foreach (var threat in Objects(section, "threats"))
        {
            var tests = string.Join(", ", Tests[Id(threat)].Order(StringComparer.Ordinal).Select(name => $"`{name}`"));
            text.Append($"| {Text(threat, "attempt")} | {Text(threat, "mitigation")} | {tests} |\n");
        }

        return text.ToString();
    }

    private static string AttackPage()
    {
        var text = new StringBuilder(
            """
            # Attacks that were tried
            This page is generated from [threats.yaml](threats.yaml) (`KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Manager.Tests`).

            A reviewer attacked an installation as a hostile tenant, with its kubeconfig and with a proxy's certificate. The table says what
            stops each attack, or why it is harmless. [threats.md](threats.md) lists the tests.

            | # | attack | verdict | why | threats |
            |---|---|---|---|---|

            """
        );
        foreach (var attack in Objects(Model, "attacks"))
        {
            var threats = string.Join(", ", ThreatsOf(attack).Select(id => $"`{id}`"));
            text.Append(
                $"| {Id(attack)} | {Text(attack, "attack")} | {Text(attack, "verdict")} | {Text(attack, "because")} | {threats} |\n"
            );
        }

        return text.ToString();
    }

    private static IEnumerable<JsonObject> Sections() => Objects(Model, "sections");

    private static IEnumerable<string> ThreatsOf(JsonObject attack) => (attack["threats"]?.AsArray() ?? []).Select(id => (string)id!);

    private static IEnumerable<JsonObject> Objects(JsonObject parent, string field) => (parent[field]?.AsArray() ?? []).Cast<JsonObject>();

    private static string Id(JsonObject value) => value["id"]!.ToString();

    private static string Text(JsonObject value, string field) => value[field]?.ToString() ?? "";

    // Class.Method for a method, Class for a class. From the sources, because the other test projects may not be built.
    private static ILookup<string, string> TestsByThreat() =>
        Directory
            .EnumerateFiles(Path.Combine(SourceTree.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(path => Traits(File.ReadAllText(path)))
            .ToLookup(pair => pair.Threat, pair => pair.Test, StringComparer.Ordinal);

    private static IEnumerable<(string Threat, string Test)> Traits(string source)
    {
        var pending = new List<string>();
        var (currentClass, isTest) = ("", false);
        foreach (var line in source.Split('\n'))
        {
            isTest |= line.Contains("[Fact", StringComparison.Ordinal) || line.Contains("[Theory", StringComparison.Ordinal);
            pending.AddRange(Trait().Matches(line).Select(match => match.Groups[1].Value));
            if (Declaration().Match(line) is { Success: true } declared)
            {
                currentClass = declared.Groups[1].Value;
            }
            else if (Method().Match(line) is not { Success: true })
            {
                continue;
            }

            var method = Method().Match(line);
            foreach (var threat in pending)
            {
                (isTest || !method.Success).Should().BeTrue("{0} has the trait of a threat, so it must be a test", line.Trim());
                yield return (threat, method.Success ? $"{currentClass}.{method.Groups[1].Value}" : currentClass);
            }

            pending.Clear();
            isTest = false;
        }
    }

    [GeneratedRegex(@"^\s*\[Trait\(""Threat"", ""([a-z0-9-]+)""\)\]")]
    private static partial Regex Trait();

    [GeneratedRegex(@"^(?:public|internal) (?:sealed )?(?:partial )?class (\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^    public (?:static )?(?:async )?[\w<>]+ (\w+)\(")]
    private static partial Regex Method();
}
