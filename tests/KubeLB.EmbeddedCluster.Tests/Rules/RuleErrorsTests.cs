using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Rules;

/// <summary>Errors of rules: when the definition is created, and when an object violates a rule.</summary>
public sealed class RuleErrorsTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private const string Schema = """
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations: [RULE]
            properties:
              name: {type: string}
              size: {type: integer}
              tags: {type: array, items: {type: string}}
              port: {x-kubernetes-int-or-string: true}
              labels: {type: object, additionalProperties: {type: string}}
              set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              nested: {type: object, properties: {a-b: {type: string}, namespace: {type: string}}}
              secret: {type: string, nullable: true}
              when: {type: string, format: date-time}
        """;

    private static readonly string Deep = string.Concat(Enumerable.Repeat("!(", 300)) + "true" + new string(')', 300);

    [Theory]
    [InlineData("self.nam == 'a'", "undefined field 'nam'", 5)]
    [InlineData("self.name == 1", "found no matching overload for '_==_' applied to '(string, int)'", 10)]
    [InlineData("self.name", "cel expression must evaluate to a bool", null)]
    [InlineData("self.size > 1 &&", "Syntax error: unexpected '<EOF>', an expression was expected", 16)]
    [InlineData("size(self.size) > 1", "found no matching overload for 'size' applied to '(int)'", 0)]
    [InlineData("self.name.startsWith(1)", "found no matching overload for 'startsWith' applied to 'string.(int)'", 10)]
    [InlineData("other == 1", "undeclared reference to 'other' (in container '')", 0)]
    [InlineData("frobnicate(self.name)", "undeclared reference to 'frobnicate' (in container '')", 0)]
    [InlineData("isURL(self.name)", "the embedded cluster does not support the function 'isURL'", 0)]
    [InlineData("quantity(self.name).isInteger()", "the embedded cluster does not support the function 'quantity'", 0)]
    [InlineData("sets.contains(self.tags, self.tags)", "the embedded cluster does not support the function 'sets.contains'", 5)]
    [InlineData("self.nested.namespace == ''", "undefined field 'namespace'", 12)]
    [InlineData("self.name.matches('(')", "error parsing regexp: `(`", 10)]
    [InlineData("self.name.all(c, true)", "cannot be range of a comprehension", 10)]
    [InlineData("self.size ? true : false", "found no matching overload for '_?_:_' applied to '(int, bool, bool)'", 10)]
    [InlineData("[1, 'a'] == []", "expected type 'int' but found 'string'", 4)]
    [InlineData("has(self)", "invalid argument to has() macro", 0)]
    [InlineData("self.name == \"a", "Syntax error: token recognition error", 13)]
    [InlineData("self.set.all(x, x == y)", "undeclared reference to 'y'", 21)]
    [InlineData("Foo{a: 1}", "construction of messages is not supported", 3)]
    public async Task Definition_with_an_invalid_rule_is_rejected(string rule, string error, int? position)
    {
        var reply = (await CreateDefinitionAsync($"rule: {Quote(rule)}")).ShouldBe(422);

        reply.Reason.Should().Be("Invalid");
        reply
            .Message.Should()
            .Contain(error)
            .And.Contain(FieldError.Quote(rule).Trim('"').Replace("\\\"", "\"", StringComparison.Ordinal)[..3]);
        reply
            .TextAt("details.causes.0.field")
            .Should()
            .Be("spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule");
        if (position is { } column)
        {
            reply.Message.Should().Contain($"compilation failed: ERROR: <input>:1:{column + 1}: ");
        }
    }

    [Theory]
    [InlineData("rule: '', message: a", "rule", "Required value")]
    [InlineData("rule: 'true', reason: Other", "reason", "supported values: \"FieldValueDuplicate\", \"FieldValueForbidden\"")]
    [InlineData("rule: 'true', fieldPath: .other", "fieldPath", "must be a valid path")]
    [InlineData("rule: 'true', messageExpression: 1 + 1", "messageExpression", "messageExpression must evaluate to a string")]
    [InlineData("rule: 'true', optionalOldSelf: true", "optionalOldSelf", "may not be set if oldSelf is not used in rule")]
    [InlineData("rule: \"true ||\\nfalse\"", "message", "message must be specified if rule contains line breaks")]
    public async Task Definition_with_an_invalid_option_of_a_rule_is_rejected(string rule, string field, string error)
    {
        var reply = (await CreateDefinitionAsync(rule)).ShouldBe(422);

        reply.TextAt("details.causes.0.field").Should().EndWith($"x-kubernetes-validations[0].{field}");
        reply.Message.Should().Contain(error);
    }

    [Theory]
    [InlineData("items: {type: string, x-kubernetes-validations: [{rule: self == oldSelf}]}, type: array", "oldSelf cannot be used")]
    [InlineData("type: string, anyOf: [{x-kubernetes-validations: [{rule: 'true'}]}]", "does not support x-kubernetes-validations here")]
    public async Task Definition_with_a_rule_at_an_invalid_place_is_rejected(string schema, string error)
    {
        var tree = Definition("{type: object, properties: {spec: {type: object, properties: {value: {" + schema + "}}}}}");

        var reply = (await fixture.Api.PostAsync(Definitions, tree.ToJsonString())).ShouldBe(422);

        reply.Message.Should().Contain(error);
    }

    [Fact]
    public async Task Definition_with_a_deeply_nested_rule_is_rejected()
    {
        (await CreateDefinitionAsync($"rule: {Quote(Deep)}")).ShouldBe(422).Message.Should().Contain("expression recursion limit exceeded");
        (await CreateDefinitionAsync($"rule: {Quote(string.Concat(Enumerable.Repeat("1+", 20_000)) + "1 > 0")}"))
            .ShouldBe(422)
            .Message.Should()
            .Contain("expression recursion limit exceeded");
    }

    [Theory]
    [InlineData("rule: self.size > 1", "spec", "Invalid value: failed rule: self.size > 1", "FieldValueInvalid")]
    [InlineData("rule: self.size > 1, message: ' too small '", "spec", "Invalid value: too small", "FieldValueInvalid")]
    [InlineData(
        "rule: self.size > 1, messageExpression: \"'size ' + string(self.size)\", message: m",
        "spec",
        "Invalid value: size 1",
        "FieldValueInvalid"
    )]
    [InlineData("rule: self.size > 1, messageExpression: 'self.tags[7]', message: m", "spec", "Invalid value: m", "FieldValueInvalid")]
    [InlineData("rule: self.size > 1, reason: FieldValueForbidden, message: m", "spec", "Forbidden: m", "FieldValueForbidden")]
    [InlineData("rule: self.size > 1, reason: FieldValueRequired, message: m", "spec", "Required value: m", "FieldValueRequired")]
    [InlineData("rule: self.size > 1, reason: FieldValueDuplicate, message: m", "spec", "Duplicate value", "FieldValueDuplicate")]
    [InlineData("rule: self.size > 1, fieldPath: .size, message: m", "spec.size", "Invalid value: m", "FieldValueInvalid")]
    [InlineData(
        "rule: self.size > 1, fieldPath: \".labels['a.b']\", message: m",
        "spec.labels[a.b]",
        "Invalid value: m",
        "FieldValueInvalid"
    )]
    [InlineData(
        "rule: \"self.tags[7] == 'a'\"",
        "spec",
        "Invalid value: index out of bounds: 7 evaluating rule: self.tags[7] == 'a'",
        "FieldValueInvalid"
    )]
    [InlineData("rule: self.name == 'a', message: m", "spec", "Invalid value: no such key: name evaluating rule: m", "FieldValueInvalid")]
    [InlineData(
        "rule: 1 / (self.size - 1) > 0, message: m",
        "spec",
        "Invalid value: division by zero evaluating rule: m",
        "FieldValueInvalid"
    )]
    [InlineData(
        "rule: self.port > 5, message: m",
        "spec",
        "Invalid value: 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: m",
        "FieldValueInvalid"
    )]
    public async Task Object_that_violates_a_rule_is_rejected(string rule, string field, string message, string reason)
    {
        var reply = await CreateAsync(rule, """{"size":1,"tags":["x"],"port":"http"}""");

        reply.ShouldBe(422).Reason.Should().Be("Invalid");
        reply.TextAt("details.causes.0.field").Should().Be(field);
        reply.TextAt("details.causes.0.message").Should().Be(message);
        reply.TextAt("details.causes.0.reason").Should().Be(reason);
        reply.Message.Should().EndWith($"\"a\" is invalid: {field}: {message}");
    }

    [Fact]
    public async Task Rule_of_the_status_is_evaluated_when_the_status_is_written()
    {
        var path = await InstallAsync(
            "{type: object, properties: {spec: {type: object}, status: {type: object, properties: {ready: {type: integer, "
                + "x-kubernetes-validations: [{rule: self > 0}]}}}}}"
        );
        (await CreateAtAsync(path, "{}")).ShouldBe(201);

        (await fixture.Api.MergeAsync($"{path}/a/status", """{"status":{"ready":0}}"""))
            .ShouldBe(422)
            .Message.Should()
            .EndWith("status.ready: Invalid value: failed rule: self > 0");
        (await fixture.Api.MergeAsync($"{path}/a/status", """{"status":{"ready":1}}""")).ShouldBe(200);
    }

    [Fact]
    public async Task Accepted_violation_of_an_unchanged_value_is_returned_as_warning()
    {
        var schema = "{type: object, properties: {spec: {type: object, properties: {a: {type: integer RULE}, b: {type: integer}}}}}";
        var tree = Definition(schema.Replace(" RULE", "", StringComparison.Ordinal));
        var path = await InstallAsync(tree);
        (await CreateAtAsync(path, """{"a":1,"b":1}""")).ShouldBe(201);
        var changed = Definition(schema.Replace(" RULE", ", x-kubernetes-validations: [{rule: self > 1}]", StringComparison.Ordinal));
        var name = tree.Object("metadata").Text("name");
        (
            await fixture.Api.MergeAsync(
                $"{Definitions}/{name}",
                new JsonObject
                {
                    ["spec"] = new JsonObject { ["versions"] = changed.Object("spec")!["versions"]!.DeepClone() },
                }.ToJsonString()
            )
        ).ShouldBe(200);

        var reply = (await fixture.Api.MergeAsync($"{path}/a", """{"spec":{"b":2}}""")).ShouldBe(200);
        reply.Headers.GetValues("Warning").Should().Equal("299 - \"spec.a: Invalid value: failed rule: self > 1\"");
        (await fixture.Api.MergeAsync($"{path}/a", """{"spec":{"a":0}}""")).ShouldBe(422);
    }

    [Fact]
    public async Task Rule_that_exceeds_the_cost_limit_is_rejected()
    {
        var many = new JsonArray([.. Enumerable.Range(0, 3_000).Select(i => JsonValue.Create($"t{i}"))]);

        var reply = await CreateAsync(
            "rule: 'self.tags.all(a, self.tags.all(b, a.size() == b.size() || true))', message: m",
            new JsonObject { ["tags"] = many }.ToJsonString()
        );

        reply
            .ShouldBe(422)
            .Message.Should()
            .EndWith(
                "spec: Invalid value: 'operation cancelled: actual cost limit exceeded': "
                    + "no further validation rules will be run due to call cost exceeds limit for rule: m"
            );
    }

    [Fact]
    public async Task Object_that_exceeds_the_cost_limit_with_many_values_is_rejected()
    {
        var path = await InstallAsync(
            "{type: object, properties: {spec: {type: object, properties: {lists: {type: array, items: {type: array, "
                + "items: {type: integer}, "
                + "x-kubernetes-validations: [{rule: 'self.all(a, self.all(b, a != b || a == b))'}]}}}}}}"
        );
        var list = new JsonArray([.. Enumerable.Range(0, 200).Select(i => JsonValue.Create(1))]);
        var lists = new JsonArray([.. Enumerable.Range(0, 200).Select(_ => list.DeepClone())]);

        var reply = (await CreateAtAsync(path, new JsonObject { ["lists"] = lists }.ToJsonString())).ShouldBe(422);

        reply.Message.Should().EndWith("validation failed due to running out of cost budget, no further validation rules will be run");
    }

    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    private static string Quote(string text) => JsonValue.Create(text).ToJsonString();

    private Task<Reply> CreateAtAsync(string path, string spec)
    {
        var kind = KindOf(path[(path.LastIndexOf('/') + 1)..]);
        return fixture.Api.PostAsync(
            path,
            $$"""{"apiVersion":"rules.example.com/v1","kind":"{{kind}}","metadata":{"name":"a"},"spec":{{spec}}}"""
        );
    }

    private static string KindOf(string plural) => "R" + plural[1..];

    private static JsonObject Definition(string schema)
    {
        var plural = $"r{Guid.NewGuid():n}";
        return new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = $"{plural}.rules.example.com" },
            ["spec"] = new JsonObject
            {
                ["group"] = "rules.example.com",
                ["scope"] = "Cluster",
                ["names"] = new JsonObject { ["plural"] = plural, ["kind"] = KindOf(plural) },
                ["versions"] = new JsonArray(
                    new JsonObject
                    {
                        ["name"] = "v1",
                        ["served"] = true,
                        ["storage"] = true,
                        ["subresources"] = new JsonObject { ["status"] = new JsonObject() },
                        ["schema"] = new JsonObject { ["openAPIV3Schema"] = YamlReading.ParseAll(schema).Single().DeepClone() },
                    }
                ),
            },
        };
    }

    private Task<Reply> CreateDefinitionAsync(string rule) =>
        fixture.Api.PostAsync(Definitions, Definition(Schema.Replace("RULE", $"{{{rule}}}", StringComparison.Ordinal)).ToJsonString());

    private Task<string> InstallAsync(string schema) => InstallAsync(Definition(schema));

    private async Task<string> InstallAsync(JsonObject definition)
    {
        (await fixture.Api.PostAsync(Definitions, definition.ToJsonString())).ShouldBe(201);
        return $"/apis/rules.example.com/v1/{definition.Object("spec").Object("names").Text("plural")}";
    }

    private async Task<Reply> CreateAsync(string rule, string spec)
    {
        var path = await InstallAsync(Schema.Replace("RULE", $"{{{rule}}}", StringComparison.Ordinal));
        return await CreateAtAsync(path, spec);
    }
}
