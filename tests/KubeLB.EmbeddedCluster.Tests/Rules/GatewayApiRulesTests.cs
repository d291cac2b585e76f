using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.Tests.Shared;

namespace KubeLB.EmbeddedCluster.Tests.Rules;

/// <summary>
/// The rules of Gateway API accept and reject the objects of <c>testdata/*.cases.yaml</c>. The rules are in <c>testdata/*.rules.yaml</c>,
/// and are added to the schemas of the sandbox. If KUBELB_TEST_CRDS names a folder with the released definitions, the same objects are
/// validated by these.
/// </summary>
public sealed class GatewayApiRulesTests
{
    private static readonly string[] Kinds = ["httproute", "grpcroute", "gateway"];

    // An enum of the schema rejects other types first, and then rules are not evaluated.
    private static readonly string[] Unreachable = ["type must be one of ['Exact', 'PathPrefix', 'RegularExpression']"];

    private static readonly Dictionary<string, CustomVersion> Versions = Kinds.ToDictionary(kind => kind, WithRules);
    private static readonly Dictionary<string, CustomVersion?> Releases = Kinds.ToDictionary(kind => kind, Released);

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var kind in Kinds)
        {
            foreach (var name in CasesOf(kind).Select(item => item.Text("case")!))
            {
                data.Add(kind, name);
            }
        }
        return data;
    }

    public static TheoryData<string> AllKinds => new(Kinds);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Object_gets_the_errors_of_the_violated_rules(string kind, string name)
    {
        var item = CasesOf(kind).Single(item => item.Text("case") == name);
        var expected = item.Array("errors").Objects().Select(error => (error.Text("field")!, error.Text("message")!)).ToList();

        foreach (var version in new[] { Versions[kind], Releases[kind] }.OfType<CustomVersion>())
        {
            var errors = RuleDefinitions.Validate(version, ObjectOf(item));

            errors
                .Select(error => (error.Field, error.Message.Replace("Invalid value: ", "", StringComparison.Ordinal)))
                .Should()
                .Equal(expected, string.Join('\n', errors));
        }
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Each_rule_is_violated_by_a_case(string kind)
    {
        var messages = RulesOf(kind).SelectMany(group => group.Array("rules").Objects()).Select(rule => rule.Text("message")!);
        var violated = CasesOf(kind).SelectMany(item => item.Array("errors").Objects()).Select(error => error.Text("message")!);

        messages.Except(violated).Except(Unreachable).Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Each_rule_is_satisfied_by_a_case(string kind)
    {
        var reached = new HashSet<SchemaRules>(ReferenceEqualityComparer.Instance);
        var rules = Versions[kind].Rules!;
        foreach (var item in CasesOf(kind).Where(item => item.Array("errors") is null))
        {
            Visit(ObjectOf(item), rules, reached);
        }

        var missing = new List<string>();
        Collect(rules, "", (path, node) => missing.AddRange(reached.Contains(node) ? [] : [path]));
        missing.Should().BeEmpty();
    }

    [Fact]
    public void Largest_route_is_validated_in_few_steps()
    {
        var tree = ObjectOf(CasesOf("httproute").Single(item => item.Text("case") == "128 matches"));
        var backend = """{"group":"","kind":"Service","name":"s","port":80}""";
        var parsed = Enumerable.Range(0, 16).Select(_ => JsonNode.Parse(backend)).ToArray();
        foreach (var rule in tree.Object("spec").Array("rules").Objects())
        {
            rule["backendRefs"] = new JsonArray([.. parsed.Select(item => item!.DeepClone())]);
        }
        tree.Object("spec")!["parentRefs"] = new JsonArray([
            .. Enumerable.Range(0, 32).Select(i => JsonNode.Parse($$"""{"group":"g","kind":"k","name":"a","sectionName":"s{{i}}"}""")),
        ]);
        SchemaDefaulting.Apply(tree, Versions["httproute"].Schema!);
        var errors = new List<FieldError>();
        var validator = new RuleValidator(errors, []);

        validator.Validate(tree, null, Versions["httproute"].Rules!);

        errors.Should().BeEmpty();
        // The number of steps does not depend on the load of the machine, as the duration does.
        validator.Cost.Should().BeLessThan(250_000);
    }

    private static void Visit(JsonNode? value, SchemaRules rules, HashSet<SchemaRules> reached)
    {
        if (value is null)
        {
            return;
        }
        reached.Add(rules);
        foreach (var (name, member) in value as JsonObject ?? [])
        {
            if ((rules.Properties.GetValueOrDefault(name) ?? rules.Additional) is { } below)
            {
                Visit(member, below, reached);
            }
        }
        foreach (var member in rules.Items is null ? [] : value as JsonArray ?? [])
        {
            Visit(member, rules.Items!, reached);
        }
    }

    private static void Collect(SchemaRules rules, string path, Action<string, SchemaRules> action)
    {
        if (rules.Own.Count > 0)
        {
            action(path, rules);
        }
        foreach (var (name, below) in rules.Properties)
        {
            Collect(below, $"{path}.{name}", action);
        }
        foreach (var below in new[] { rules.Items, rules.Additional }.OfType<SchemaRules>())
        {
            Collect(below, path + "[]", action);
        }
    }

    private static JsonObject ObjectOf(JsonNode item)
    {
        var tree = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "a" } };
        tree.TakeFrom(item as JsonObject, "spec");
        tree.TakeFrom(item as JsonObject, "status");
        return tree;
    }

    private static IEnumerable<JsonNode> CasesOf(string kind) => Read(kind, "cases");

    private static IEnumerable<JsonNode> RulesOf(string kind) => Read(kind, "rules");

    private static IEnumerable<JsonNode> Read(string kind, string content) =>
        ((JsonArray)YamlReading.ParseAll(File.ReadAllText($"Rules/testdata/{kind}.{content}.yaml")).Single()).OfType<JsonNode>();

    private static JsonObject Definition(string folder, string kind) =>
        YamlReading
            .ParseAll(File.ReadAllText(Path.Combine(folder, $"gateway.networking.k8s.io_{kind}s.yaml")))
            .Select(document => document.At("spec").Array("versions")![0].Object("schema").Object("openAPIV3Schema")!.Copy())
            .First();

    /// <summary>The schema of the sandbox with the rules of Gateway API.</summary>
    private static CustomVersion WithRules(string kind)
    {
        var schema = Definition(Path.Combine(SourceTree.Root, "tools/KubeLB.Sandbox/Crds"), kind);
        foreach (var group in RulesOf(kind))
        {
            foreach (var path in group.Array("paths").Strings())
            {
                At(schema, path)["x-kubernetes-validations"] = group.Array("rules")!.DeepClone();
            }
        }
        return RuleDefinitions.Version(schema);
    }

    private static JsonObject At(JsonObject schema, string path)
    {
        foreach (var name in path.Replace("[]", ".[]", StringComparison.Ordinal).Split('.'))
        {
            schema = (name == "[]" ? schema.Object("items") : schema.Object("properties").Object(name))!;
        }
        return schema;
    }

    private static CustomVersion? Released(string kind) =>
        Environment.GetEnvironmentVariable("KUBELB_TEST_CRDS") is { Length: > 0 } folder
        && Directory.Exists(Path.Combine(folder, "gateway-api"))
            ? RuleDefinitions.Version(Definition(Path.Combine(folder, "gateway-api"), kind))
            : null;
}
