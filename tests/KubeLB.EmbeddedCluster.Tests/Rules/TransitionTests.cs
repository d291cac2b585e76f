using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tests.Rules;

/// <summary>Rules on updates: comparisons with the old value, and violations that existed before (KEP-4008).</summary>
public sealed class TransitionTests
{
    private static readonly CustomVersion Version = RuleDefinitions.Version(
        YamlReading
            .ParseAll(
                """
                type: object
                x-kubernetes-validations:
                  - {rule: "!has(self.spec.whole) || self.spec.whole != self.metadata.name", message: named like the object}
                properties:
                  spec:
                    type: object
                    properties:
                      fixed:
                        type: string
                        x-kubernetes-validations: [{rule: self == oldSelf, message: field is immutable}]
                      whole: {type: string}
                      grows:
                        type: integer
                        x-kubernetes-validations:
                          - {rule: self >= oldSelf.orValue(1), optionalOldSelf: true, message: must not shrink}
                      ports:
                        type: array
                        x-kubernetes-list-type: map
                        x-kubernetes-list-map-keys: [name, protocol]
                        items:
                          type: object
                          properties:
                            name: {type: string}
                            protocol: {type: string, default: TCP}
                            port: {type: integer}
                          x-kubernetes-validations:
                            - {rule: self.port >= oldSelf.port, message: must not decrease}
                            - {rule: self.port > 10, message: must be more than 10}
                      limits:
                        type: object
                        additionalProperties:
                          type: integer
                          x-kubernetes-validations:
                            - {rule: self >= oldSelf, message: must not decrease}
                            - {rule: self > 10, message: must be more than 10}
                      free:
                        type: array
                        items:
                          type: integer
                          x-kubernetes-validations: [{rule: self > 10, message: must be more than 10}]
                """
            )
            .Cast<JsonObject>()
            .Single()
    );

    [Theory]
    [InlineData("fixed: a", "fixed: a", null)]
    [InlineData("fixed: a", "fixed: b", "spec.fixed: Invalid value: field is immutable")]
    [InlineData("fixed: a", "", null)]
    [InlineData("", "fixed: a", null)]
    [InlineData("ports: [{name: a, port: 20}]", "ports: [{name: b, port: 11}, {name: a, port: 21}]", null)]
    [InlineData(
        "ports: [{name: a, port: 20}]",
        "ports: [{name: b, port: 11}, {name: a, port: 19}]",
        "spec.ports[1]: Invalid value: must not decrease"
    )]
    [InlineData("ports: [{name: a, port: 20}]", "ports: [{name: a, protocol: UDP, port: 19}]", null)]
    [InlineData("limits: {a: 20}", "limits: {a: 19, b: 11}", "spec.limits[a]: Invalid value: must not decrease")]
    [InlineData("limits: {a: 20}", "limits: {a: 20, b: 11}", null)]
    [InlineData("grows: 2", "grows: 1", "spec.grows: Invalid value: must not shrink")]
    [InlineData("grows: 2", "grows: 3", null)]
    [InlineData("", "grows: 0", "spec.grows: Invalid value: must not shrink")]
    public void Update_is_compared_with_the_old_value(string before, string after, string? error)
    {
        var errors = RuleDefinitions.Validate(Version, Parse(after), Defaulted(before));

        errors.Select(item => item.ToString()).Should().Equal(error is null ? [] : [error]);
    }

    [Fact]
    public void Create_evaluates_only_rules_with_optional_old_value()
    {
        var errors = RuleDefinitions.Validate(Version, Parse("{fixed: a, grows: 0, ports: [{name: a, port: 11}]}"));

        errors.Select(item => item.ToString()).Should().Equal("spec.grows: Invalid value: must not shrink");
    }

    [Theory]
    [InlineData("ports: [{name: a, port: 5}]", "{fixed: x, ports: [{name: b, port: 11}, {name: a, port: 5}]}", "spec.ports[1]")]
    [InlineData("limits: {a: 5}", "limits: {a: 5, b: 11}", "spec.limits[a]")]
    [InlineData("free: [5]", "{fixed: x, free: [5]}", "spec.free[0]")]
    public void Violation_of_an_unchanged_value_is_a_warning(string before, string after, string field)
    {
        var warnings = new List<string>();

        var errors = RuleDefinitions.Validate(Version, Parse(after), Defaulted(before), warnings);

        errors.Should().BeEmpty();
        warnings.Should().Equal($"{field}: Invalid value: must be more than 10");
    }

    [Theory]
    [InlineData("ports: [{name: a, port: 5}]", "ports: [{name: a, port: 6}]", "spec.ports[0]")]
    [InlineData("limits: {a: 5}", "limits: {b: 5}", "spec.limits[b]")]
    [InlineData("free: [5]", "free: [5, 11]", "spec.free[0]")]
    public void Violation_of_a_changed_value_is_an_error(string before, string after, string field)
    {
        var errors = RuleDefinitions.Validate(Version, Parse(after), Defaulted(before));

        errors.Select(item => item.ToString()).Should().Equal($"{field}: Invalid value: must be more than 10");
    }

    [Fact]
    public void Rule_of_the_root_reads_the_name_and_has_no_path()
    {
        var errors = RuleDefinitions.Validate(Version, Parse("whole: object"));

        errors.Should().Equal(new FieldError("FieldValueInvalid", "<nil>", "Invalid value: named like the object"));
    }

    private static JsonObject Parse(string spec) =>
        new()
        {
            ["metadata"] = new JsonObject { ["name"] = "object" },
            ["spec"] = YamlReading.ParseAll(spec).SingleOrDefault()?.DeepClone() ?? new JsonObject(),
        };

    private static JsonObject Defaulted(string spec)
    {
        var tree = Parse(spec);
        SchemaDefaulting.Apply(tree, Version.Schema!);
        return tree;
    }
}
