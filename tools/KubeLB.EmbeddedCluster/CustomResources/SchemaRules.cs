using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Cel;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>The compiled validation rules (<c>x-kubernetes-validations</c>) of a schema node and of the nodes below it.</summary>
internal sealed class SchemaRules
{
    private SchemaRules(SchemaNode schema) => Schema = schema;

    public SchemaNode Schema { get; }

    /// <summary>The type of values in rules; null if the node has no rules.</summary>
    public CelType? Type { get; private set; }

    /// <summary>The rules of the node.</summary>
    public IReadOnlyList<SchemaRule> Own { get; private set; } = [];

    /// <summary>The properties that have rules.</summary>
    public IReadOnlyDictionary<string, SchemaRules> Properties { get; private set; } = new Dictionary<string, SchemaRules>();

    /// <summary>The rules of list items.</summary>
    public SchemaRules? Items { get; private set; }

    /// <summary>The rules of map values.</summary>
    public SchemaRules? Additional { get; private set; }

    /// <summary>Compiles the rules of a resource.</summary>
    /// <param name="schema">The schema of the resource.</param>
    /// <param name="path">Path of the schema in the definition.</param>
    /// <param name="errors">Receives an error for each invalid rule.</param>
    /// <returns>The rules; null if there are none.</returns>
    public static SchemaRules? Compile(SchemaNode schema, string path, List<FieldError> errors) =>
        Compile(schema, isResource: true, canTransition: true, path, errors);

    private static SchemaRules? Compile(SchemaNode schema, bool isResource, bool canTransition, string path, List<FieldError> errors)
    {
        foreach (var (name, part) in schema.Combinations.Where(combination => combination.Part.HasRules))
        {
            errors.Add(FieldError.Forbidden($"{path}.{name}", "the embedded cluster does not support x-kubernetes-validations here"));
        }
        if (!schema.HasRules)
        {
            return null;
        }
        var rules = new SchemaRules(schema);
        if (schema.Rules.Count > 0)
        {
            rules.Type = CelType.Of(schema, isResource);
            rules.Own =
            [
                .. schema.Rules.Select(
                    (rule, index) =>
                        SchemaRule.Compile(rule, schema, rules.Type, canTransition, $"{path}.x-kubernetes-validations[{index}]", errors)
                ),
            ];
        }
        var properties = new Dictionary<string, SchemaRules>(StringComparer.Ordinal);
        foreach (var (name, property) in schema.Properties)
        {
            if (Compile(property, property.EmbeddedResource, canTransition, $"{path}.properties[{name}]", errors) is { } known)
            {
                properties[name] = known;
            }
        }
        rules.Properties = properties;
        if (schema.Items is { } items)
        {
            var isCorrelated = canTransition && schema.ListType == "map";
            rules.Items = Compile(items, items.EmbeddedResource, isCorrelated, $"{path}.items", errors);
        }
        if (schema.Additional is { } additional)
        {
            rules.Additional = Compile(additional, additional.EmbeddedResource, canTransition, $"{path}.additionalProperties", errors);
        }
        return rules;
    }
}

/// <summary>A validation rule.</summary>
/// <param name="Text">The message of the rule, or the rule itself if it has none.</param>
/// <param name="Program">The compiled rule; null if it is invalid.</param>
internal sealed record SchemaRule(string Text, CelProgram? Program)
{
    private const string Old = "oldSelf";

    private static readonly string[] Reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

    /// <summary>The error of a rule that cannot be compiled.</summary>
    public string? Error { get; private init; }

    /// <summary>The default message of the error.</summary>
    public string Message { get; private init; } = "";

    /// <summary>The compiled <c>messageExpression</c>.</summary>
    public CelProgram? MessageExpression { get; private init; }

    /// <summary>The reason of the error.</summary>
    public string Reason { get; private init; } = "FieldValueInvalid";

    /// <summary>The path that is appended to the path of the value in errors, e.g. <c>.name</c>.</summary>
    public string FieldPath { get; private init; } = "";

    /// <summary>Whether <c>oldSelf</c> is an optional value, so that the rule is also evaluated without an old value.</summary>
    public bool HasOptionalOldSelf { get; private init; }

    /// <summary>Whether the rule compares the value with the old one.</summary>
    public bool IsTransition => Program?.Used.Contains(Old) == true;

    /// <param name="source">The rule.</param>
    /// <param name="schema">The schema of the value.</param>
    /// <param name="type">The type of the value; null if it is unknown.</param>
    /// <param name="canTransition">Whether a value of an update can be assigned to an old one.</param>
    /// <param name="path">Path of the rule in the definition.</param>
    /// <param name="errors">Receives the errors of the rule.</param>
    public static SchemaRule Compile(
        JsonObject source,
        SchemaNode schema,
        CelType? type,
        bool canTransition,
        string path,
        List<FieldError> errors
    )
    {
        var rule = (source.Text("rule") ?? "").Trim();
        var message = (source.Text("message") ?? "").Trim();
        var text = message.Length > 0 ? message : rule;
        var isOptional = source.Boolean("optionalOldSelf") == true;
        var found = new List<FieldError>();
        CelProgram? program = null;
        CelProgram? messageExpression = null;
        var fieldPath = "";
        if (type is null)
        {
            found.Add(FieldError.Invalid($"{path}.rule", rule, "the schema of the value has no type, so rules cannot access it"));
        }
        else
        {
            (string, CelType)[] variables = [("self", type), (Old, isOptional ? CelType.Optional(type) : type)];
            program = Compile(rule, variables, CelKind.Bool, "cel expression must evaluate to a bool", $"{path}.rule", found);
            if (source.Text("messageExpression") is { Length: > 0 } expression)
            {
                messageExpression = Compile(
                    expression,
                    variables,
                    CelKind.String,
                    "messageExpression must evaluate to a string",
                    $"{path}.messageExpression",
                    found
                );
            }
        }
        if (program?.Used.Contains(Old) == true && !canTransition)
        {
            found.Add(FieldError.Invalid($"{path}.rule", rule, "oldSelf cannot be used on the uncorrelatable portion of the schema"));
        }
        if (isOptional && program?.Used.Contains(Old) == false)
        {
            found.Add(FieldError.Invalid($"{path}.optionalOldSelf", true, "may not be set if oldSelf is not used in rule"));
        }
        if (rule.Contains('\n', StringComparison.Ordinal) && message.Length == 0)
        {
            found.Add(FieldError.Required($"{path}.message", "message must be specified if rule contains line breaks"));
        }
        if (source.Text("reason") is { } reason && !Reasons.Contains(reason))
        {
            found.Add(FieldError.NotSupported($"{path}.reason", reason, Reasons));
        }
        if (source.Text("fieldPath") is { Length: > 0 } field && !RuleFieldPath.TryParse(field, schema, out fieldPath))
        {
            found.Add(FieldError.Invalid($"{path}.fieldPath", field, "fieldPath must be a valid path to a field of the value"));
        }
        errors.AddRange(found);
        return new SchemaRule(text, program)
        {
            Error = found.Count == 0 ? null : found[0].Message,
            Message = message.Length > 0 ? message : $"failed rule: {rule}",
            MessageExpression = messageExpression,
            Reason = source.Text("reason") ?? "FieldValueInvalid",
            FieldPath = fieldPath,
            HasOptionalOldSelf = isOptional,
        };
    }

    private static CelProgram? Compile(
        string expression,
        (string, CelType)[] variables,
        CelKind kind,
        string wrongKind,
        string path,
        List<FieldError> errors
    )
    {
        if (string.IsNullOrWhiteSpace(expression))
        {
            errors.Add(FieldError.Required(path, "rule is not specified"));
            return null;
        }
        try
        {
            var program = CelCompiler.Compile(expression, variables);
            if (program.Type.Kind == kind || program.Type.Kind == CelKind.Dyn)
            {
                return program;
            }
            errors.Add(FieldError.Invalid(path, expression, wrongKind));
        }
        catch (CelCompileException exception)
        {
            errors.Add(FieldError.Invalid(path, expression, $"compilation failed: {exception.Describe(expression)}"));
        }
        return null;
    }
}

/// <summary>The <c>fieldPath</c> of a rule: names and quoted keys, e.g. <c>.a.b['c.d']</c>.</summary>
internal static class RuleFieldPath
{
    /// <param name="text">The path.</param>
    /// <param name="schema">The schema of the value that it starts from.</param>
    /// <param name="path">The path as errors print it.</param>
    /// <returns>Whether the schema has such a field.</returns>
    public static bool TryParse(string text, SchemaNode schema, out string path)
    {
        var result = new StringBuilder();
        path = "";
        for (var rest = text.AsSpan(); rest.Length > 0; )
        {
            string name;
            if (rest[0] == '.')
            {
                var end = rest[1..].IndexOfAny('.', '[');
                name = (end < 0 ? rest[1..] : rest[1..(end + 1)]).ToString();
                rest = rest[(name.Length + 1)..];
            }
            else if (rest.StartsWith("['") && rest.IndexOf("']") is var end and > 1)
            {
                name = rest[2..end].ToString().Replace("\\'", "'", StringComparison.Ordinal);
                rest = rest[(end + 2)..];
            }
            else
            {
                return false;
            }
            if (schema.Properties.TryGetValue(name, out var property))
            {
                result.Append('.').Append(name);
                schema = property;
            }
            else if (schema.Additional is { } additional)
            {
                result.Append('[').Append(name).Append(']');
                schema = additional;
            }
            else
            {
                return false;
            }
        }
        path = result.ToString();
        return true;
    }
}
