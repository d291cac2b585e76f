using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Custom resources: defaulted and validated by the schema of their definition.</summary>
/// <param name="version">The version of the request.</param>
internal sealed class CustomResourceStrategy(CustomVersion version) : ResourceStrategy
{
    private const string RulesSkipped =
        "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

    public override bool AllowsUnconditionalUpdate => false;

    public override void Default(JsonObject tree)
    {
        if (version.Schema is { } schema)
        {
            SchemaDefaulting.Apply(tree, schema);
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        if (version.Schema is not { } schema)
        {
            return;
        }
        new SchemaValidator(errors).Validate(tree, schema, "");
    }

    public override void ValidateRules(JsonObject tree, JsonObject? old, List<FieldError> errors, List<string> warnings)
    {
        if (version.Rules is not { } rules)
        {
            return;
        }
        if (errors.Exists(error => PreventsRules(error.Reason)))
        {
            errors.Add(FieldError.Invalid("<nil>", (JsonNode?)null, RulesSkipped));
            return;
        }
        new RuleValidator(errors, warnings).Validate(tree, old, rules);
    }

    /// <summary>Whether an error means that values do not have the types and sizes that rules assume.</summary>
    private static bool PreventsRules(string reason) =>
        reason is "FieldValueNotSupported" or "FieldValueRequired" or "FieldValueTooLong" or "FieldValueTooMany" or "FieldValueTypeInvalid";

    public override bool RaisesGeneration(JsonObject tree, JsonObject old)
    {
        foreach (var name in tree.Select(member => member.Key).Union(old.Select(member => member.Key)))
        {
            if (
                name is not ("metadata" or "apiVersion" or "kind")
                && !(name == "status" && version.HasStatus)
                && !JsonAccess.Same(tree[name], old[name])
            )
            {
                return true;
            }
        }
        return false;
    }
}
