using KubeLB.Api.GatewayApi;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Fields;
using YamlDotNet.RepresentationModel;

namespace KubeLB.Translation.Tests.Fields;

/// <summary>
/// Every field of Gateway API has a decision. A new release of Gateway API makes these tests fail until each new field has one;
/// <c>docs/reference/fields.md</c> is written with <c>KUBELB_UPDATE_GOLDEN=1</c>.
/// </summary>
public sealed class FieldDecisionTests
{
    private const string Variable = "KUBELB_TEST_CRDS";

    // A recorded list, and the definitions of the sandbox.
    public static TheoryData<string, string> Fields =>
        [.. Recorded().Concat(Defined(Path.Combine(SourceTree.Root, "tools", "KubeLB.Sandbox", "Crds"))).Distinct()];

    [Theory]
    [MemberData(nameof(Fields))]
    [Trait("Threat", "unknown-fields")]
    public void Field_has_a_decision(string kind, string path) =>
        FieldDecisions.Of(kind).RuleOf(path).Should().NotBeNull("{0} of {1} needs an entry in FieldDecisions", path, kind);

    [Fact]
    public void Fields_of_released_definitions_have_decisions()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{Variable} does not name a folder with CustomResourceDefinitions of Gateway API");

        var fields = Defined(folder).ToList();

        fields.Should().HaveCountGreaterThan(150);
        fields.Where(f => FieldDecisions.Of(f.Item1).RuleOf(f.Item2) is null).Should().BeEmpty();
    }

    [Fact]
    public void Fields_that_Gateway_API_does_not_have_are_those_of_earlier_releases()
    {
        var known = Recorded().ToHashSet();

        FieldDecisions
            .Tables.SelectMany(table => table.Rules.Select(rule => (table.Kind, rule.Path)))
            .Where(rule =>
                !known.Any(field => field.Item1 == rule.Kind && $"{field.Item2}.".StartsWith($"{rule.Path}.", StringComparison.Ordinal))
            )
            .Select(rule => $"{rule.Kind} {rule.Path}")
            .Should()
            .BeEquivalentTo(
                "Gateway spec.listeners.tls.frontendValidation",
                "Gateway spec.backendTLS",
                "HTTPRoute spec.rules.matches.*",
                "GRPCRoute spec.rules.matches.*",
                "HTTPRoute spec.rules.sessionPersistence.sessionName",
                "HTTPRoute spec.rules.sessionPersistence.idleTimeout",
                "HTTPRoute spec.rules.sessionPersistence.cookieConfig.lifetimeType",
                "GRPCRoute spec.rules.sessionPersistence.sessionName",
                "GRPCRoute spec.rules.sessionPersistence.idleTimeout",
                "GRPCRoute spec.rules.sessionPersistence.cookieConfig.lifetimeType"
            );
    }

    [Fact]
    public void References_are_never_passed() =>
        FieldDecisions
            .Tables.SelectMany(table => table.Rules)
            .Where(rule => rule.Decision is FieldDecision.Passed or FieldDecision.Checked)
            .Select(rule => rule.Path)
            .Where(path =>
                path.EndsWith(".namespace", StringComparison.Ordinal)
                || (path.EndsWith(".name", StringComparison.Ordinal) && path.Contains("Ref", StringComparison.Ordinal))
            )
            .Where(path => !path.Contains(".filters.requestHeaderModifier.") && !path.Contains(".filters.responseHeaderModifier."))
            .Should()
            .BeEmpty();

    [Fact]
    public void Decisions_other_than_Passed_have_a_note_and_rejections_a_reason()
    {
        foreach (var rule in FieldDecisions.Tables.SelectMany(table => table.Rules))
        {
            (rule.Note.Length > 0).Should().Be(rule.Decision != FieldDecision.Passed, rule.Path);
            (rule.Reason.Length > 0).Should().Be(rule.Decision == FieldDecision.Rejected, rule.Path);
        }
    }

    [Fact]
    public void Page_lists_every_decision()
    {
        var page = new ReferencePage("KubeLB.Translation.Tests", "docs/reference/fields.md")
            .Title("Fields of tenants' objects", "`src/KubeLB.Translation/Fields/FieldDecisions.cs`")
            .Paragraph(
                """
                What the manager does with each field in the spec of a Gateway, HTTPRoute or GRPCRoute
                ([summary](../tenant/supported.md)):

                - **Passed**: copied to the generated object.
                - **Checked**: copied after validation; an invalid value rejects the object.
                - **Rewritten**: replaced by a value of the management cluster.
                - **Ignored**: not copied. Condition `kubelb.k8c.io/FieldsIgnored` and a Warning Event of the tenant's object list the
                  fields.
                - **Rejected**: an object with the field gets `Accepted=False`. A Gateway that is already served keeps its address and is
                  served without the field.

                A field that is not listed is ignored. A text with control characters rejects the object.
                """
            );
        foreach (var table in FieldDecisions.Tables)
        {
            page.Heading(2, table.Kind)
                .Table(
                    ["field", "decision", "note"],
                    table.Rules.Select(rule =>
                        (string[])
                            [
                                $"`{rule.Path}`",
                                $"{rule.Decision}{(rule.Reason.Length == 0 ? "" : $" (`{rule.Reason}`)")}",
                                Sentence(rule.Note),
                            ]
                    )
                );
        }

        page.Check();
    }

    private static string Sentence(string note) =>
        note.Length == 0 ? "" : ReferencePage.Cell(char.ToUpperInvariant(note[0]) + note[1..].TrimEnd('.') + ".");

    private static IEnumerable<(string, string)> Recorded() =>
        File.ReadLines(Path.Combine(SourceTree.Root, "tests", "KubeLB.Translation.Tests", "Fields", "gateway-api-1.6.txt"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' '))
            .Select(words => (words[0], words[1]));

    private static IEnumerable<(string, string)> Defined(string folder) =>
        Directory
            .GetFiles(folder, "gateway.networking.k8s.io_*.yaml", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .SelectMany(Documents)
            .SelectMany(definition =>
                Text(definition, "spec", "names", "kind") is var kind
                && kind is Gateway.KindName or HttpRoute.KindName or GrpcRoute.KindName
                    ? ((YamlSequenceNode)Node(definition, "spec", "versions")!)
                        .Where(version => Text(version, "name") == "v1")
                        .SelectMany(version => Leaves(Node(version, "schema", "openAPIV3Schema", "properties", "spec")!, "spec"))
                        .Select(path => (kind!, path))
                    : []
            );

    private static IEnumerable<YamlNode> Documents(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(file);
        stream.Load(reader);
        return stream.Documents.Select(d => d.RootNode).Where(n => Text(n, "kind") == "CustomResourceDefinition");
    }

    private static IEnumerable<string> Leaves(YamlNode schema, string path)
    {
        var content = Text(schema, "type") == "array" ? Node(schema, "items")! : schema;
        return Node(content, "properties") is YamlMappingNode properties
            ? properties.SelectMany(property => Leaves(property.Value, $"{path}.{property.Key}"))
            : [path];
    }

    private static YamlNode? Node(YamlNode node, params string[] path) =>
        path.Aggregate(
            (YamlNode?)node,
            (found, name) => found is YamlMappingNode map && map.Children.TryGetValue(name, out var child) ? child : null
        );

    private static string? Text(YamlNode node, params string[] path) => (Node(node, path) as YamlScalarNode)?.Value;
}
