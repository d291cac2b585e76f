using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>
/// The definitions of this project take the place of those of the Go project without loss: they have all its fields, and reject nothing
/// that it accepts and somebody is likely to write. The Go project's definitions are not part of this repository.
/// </summary>
public sealed class GoDefinitionsTests
{
    private const string Variable = "KUBELB_TEST_CRDS";

    private static readonly IReadOnlyDictionary<string, DefinitionFile> Ours = DefinitionFile.In(
        Path.Combine(SourceTree.Root, "deploy/crds")
    );

    /// <summary>Parts that are raw here: Kubernetes' own types, which the manager reads and validates itself.</summary>
    private static readonly string[] Raw =
    [
        "Config.spec.envoyProxy.affinity",
        "Config.spec.envoyProxy.tolerations[]",
        "Route.spec.source.kubernetes.services[]",
    ];

    [Fact]
    public void Every_field_of_the_Go_definitions_is_kept_with_its_type_and_default()
    {
        foreach (var (kind, theirs) in Theirs())
        {
            var ours = Ours[kind].Schemas().ToDictionary(s => s.Path, s => s.Schema);
            foreach (var (path, schema) in theirs.Schemas().Where(s => !IsRaw(s.Path)))
            {
                ours.Should().ContainKey(path, "a field that is missing is lost");
                Text(ours[path], "type").Should().Be(Text(schema, "type"), path);
                Text(ours[path], "default").Should().Be(Text(schema, "default"), path);
                Text(ours[path], "x-kubernetes-int-or-string").Should().Be(Text(schema, "x-kubernetes-int-or-string"), path);
            }

            foreach (var raw in Raw.Where(raw => raw.StartsWith(kind + ".", StringComparison.Ordinal)))
            {
                ours[raw]["x-kubernetes-preserve-unknown-fields"]!.GetValue<bool>().Should().BeTrue(raw);
            }
        }
    }

    [Fact]
    public void No_field_of_the_Go_definitions_is_restricted_to_fewer_values_or_required()
    {
        foreach (var (kind, theirs) in Theirs())
        {
            var ours = Ours[kind].Schemas().ToDictionary(s => s.Path, s => s.Schema);
            foreach (var (path, schema) in theirs.Schemas().Where(s => ours.ContainsKey(s.Path)))
            {
                Texts(ours[path], "required").Should().BeSubsetOf(Texts(schema, "required"), path);
                if (ours[path].ContainsKey("enum"))
                {
                    Texts(schema, "enum").Should().NotBeEmpty(path).And.BeSubsetOf(Texts(ours[path], "enum"), path);
                }

                foreach (var keyword in new[] { "pattern", "minItems", "minLength", "minProperties" }.Where(ours[path].ContainsKey))
                {
                    Text(ours[path], keyword).Should().Be(Text(schema, keyword), $"{keyword} of {path}");
                }
            }
        }
    }

    [Fact]
    public void Columns_scopes_and_short_names_of_the_Go_definitions_are_kept()
    {
        foreach (var (kind, theirs) in Theirs())
        {
            Ours[kind].Columns.Should().ContainInOrder(theirs.Columns, kind);
            Ours[kind].Names.Should().Be(theirs.Names);
        }
    }

    private static IReadOnlyDictionary<string, DefinitionFile> Theirs()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder) || !Directory.Exists(Path.Combine(folder, "kubelb")),
            $"{Variable} does not name a folder with kubelb/, the definitions of the Go project"
        );
        var theirs = DefinitionFile.In(Path.Combine(folder, "kubelb"));
        theirs.Keys.Should().BeEquivalentTo(Ours.Keys);
        return theirs;
    }

    private static bool IsRaw(string path) => Raw.Any(raw => path.StartsWith(raw + ".", StringComparison.Ordinal));

    private static string? Text(JsonObject schema, string keyword) => schema[keyword]?.ToJsonString();

    private static IEnumerable<string> Texts(JsonObject schema, string keyword) =>
        (schema[keyword]?.AsArray() ?? []).Select(v => v!.ToJsonString());
}
