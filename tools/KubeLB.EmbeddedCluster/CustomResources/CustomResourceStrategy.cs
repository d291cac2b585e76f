using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Custom resources: defaulted and validated by the schema of their definition.</summary>
/// <param name="version">The version of the request.</param>
/// <param name="rules">How CEL rules are handled.</param>
internal sealed class CustomResourceStrategy(CustomVersion version, ValidationRules rules) : ResourceStrategy
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
        var found = new List<FieldError>();
        new SchemaValidator(found).Validate(tree, schema, "");
        if (
            schema.HasRules
            && found.Any(error =>
                error.Reason
                    is "FieldValueNotSupported"
                        or "FieldValueRequired"
                        or "FieldValueTooLong"
                        or "FieldValueTooMany"
                        or "FieldValueTypeInvalid"
            )
        )
        {
            found.Add(FieldError.Invalid("<nil>", (JsonNode?)null, RulesSkipped));
        }
        // The finalizers of a terminating object must remain removable.
        if (rules == ValidationRules.Reject && found.Count == 0 && tree.Object("metadata").Text("deletionTimestamp") is null)
        {
            CelRuleRejection.Find(tree, schema, "", found);
        }
        errors.AddRange(found);
    }

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

/// <summary>Reports an error for each value of an object that has CEL rules.</summary>
internal static class CelRuleRejection
{
    private const string Why =
        "this value has CEL rules (x-kubernetes-validations), and this embedded cluster does not evaluate CEL rules; "
        + "it rejects the object (ValidationRules.Reject)";

    public static void Find(JsonNode? value, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (value is null || !schema.HasRules)
        {
            return;
        }
        if (schema.HasOwnRules)
        {
            errors.Add(FieldError.Forbidden(path.Length == 0 ? "<root>" : path, Why));
        }
        switch (value)
        {
            case JsonObject tree:
                foreach (var (name, item) in tree)
                {
                    if ((schema.Properties.GetValueOrDefault(name) ?? schema.Additional) is { } member)
                    {
                        Find(item, member, path.Length == 0 ? name : $"{path}.{name}", errors);
                    }
                }
                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    Find(list[i], items, $"{path}[{i}]", errors);
                }
                break;
        }
    }
}
