using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Cel;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>
/// Validates an object by the rules of its schema. As in Kubernetes, the error of a rule that does not use <c>oldSelf</c> is only a warning
/// if the value is the same as before the update (KEP-4008).
/// </summary>
/// <param name="errors">Receives the errors.</param>
/// <param name="warnings">Receives the errors of unchanged values.</param>
internal sealed class RuleValidator(List<FieldError> errors, List<string> warnings)
{
    /// <summary>Limit of the cost of one rule for one value.</summary>
    public const long RuleLimit = 1_000_000;

    /// <summary>Limit of the cost of all rules for one object.</summary>
    public const long ObjectLimit = 10_000_000;

    /// <summary>Limit of the length of a message that an expression creates.</summary>
    private const int MaxMessage = 5 * 1024;

    private long _budget = ObjectLimit;

    /// <summary>The cost of the rules that were evaluated.</summary>
    public long Cost => ObjectLimit - _budget;

    /// <param name="tree">The object, valid according to its schema.</param>
    /// <param name="old">The object before the update; null on create.</param>
    /// <param name="rules">The rules.</param>
    public void Validate(JsonObject tree, JsonObject? old, SchemaRules rules) =>
        Walk(tree, old, rules, "", new Correlation(old is null ? null : new ValueChange(tree, old), true));

    /// <returns>Whether the validation continues: false if the budget is exhausted.</returns>
    private bool Walk(JsonNode? value, JsonNode? old, SchemaRules rules, string path, Correlation correlation)
    {
        if (value is null)
        {
            return true;
        }
        if (rules.Own.Count > 0 && !Evaluate(value, old, rules, path, correlation))
        {
            return false;
        }
        return value switch
        {
            JsonObject tree => WalkObject(tree, old as JsonObject, rules, path, correlation),
            JsonArray list when rules.Items is { } items => WalkList(list, old as JsonArray, rules.Schema, items, path, correlation),
            _ => true,
        };
    }

    private bool WalkObject(JsonObject tree, JsonObject? old, SchemaRules rules, string path, Correlation correlation)
    {
        foreach (var (name, item) in tree)
        {
            var isProperty = rules.Properties.TryGetValue(name, out var member);
            member ??= rules.Additional;
            if (member is null)
            {
                continue;
            }
            var itemPath =
                !isProperty ? $"{path}[{name}]"
                : path.Length == 0 ? name
                : $"{path}.{name}";
            if (!Walk(item, old?[name], member, itemPath, correlation.Of(item, old?[name])))
            {
                return false;
            }
        }
        return true;
    }

    private bool WalkList(JsonArray list, JsonArray? old, SchemaNode schema, SchemaRules rules, string path, Correlation correlation)
    {
        var before = old is not null && schema.ListType == "map" ? new ListMap(old, schema.ListMapKeys) : null;
        for (var i = 0; i < list.Count; i++)
        {
            var previous = before?.Find(list[i]);
            var own = previous is null ? correlation.Ancestor() : correlation.Of(list[i], previous);
            if (!Walk(list[i], previous, rules, $"{path}[{i}]", own))
            {
                return false;
            }
        }
        return true;
    }

    private bool Evaluate(JsonNode value, JsonNode? old, SchemaRules rules, string path, Correlation correlation)
    {
        var type = rules.Type;
        var self = type is null ? null : CelValue.Of(value, type);
        var oldSelf = type is null || old is null ? null : CelValue.Of(old, type);
        foreach (var rule in rules.Own)
        {
            if (rule.Program is not { } program || rule.Error is not null)
            {
                Report(path, "FieldValueInvalid", $"rule compile error: {rule.Error}");
                continue;
            }
            if (rule.IsTransition && old is null && !rule.HasOptionalOldSelf)
            {
                continue;
            }
            object? before = rule.HasOptionalOldSelf ? (old is null ? CelOptional.None : CelOptional.Of(oldSelf)) : oldSelf;
            object? result;
            try
            {
                result = Run(program, self, before);
            }
            catch (CelCostException exception)
            {
                Report(
                    path,
                    "FieldValueInvalid",
                    _budget <= 0
                        ? "validation failed due to running out of cost budget, no further validation rules will be run"
                        : $"'{exception.Message}': no further validation rules will be run due to call cost exceeds limit for rule: "
                            + rule.Text
                );
                return false;
            }
            if (result is true)
            {
                continue;
            }
            if (result is not false)
            {
                Report(path, "FieldValueInvalid", Failure(result as CelError ?? CelError.NoOverload, rule));
                continue;
            }
            var error = Error(rule.Reason, path + rule.FieldPath, MessageOf(rule, self, before));
            if (rule.IsTransition || !correlation.IsUnchanged)
            {
                errors.Add(error);
            }
            // A write is repeated after a concurrent change.
            else if (!warnings.Contains(error.ToString()))
            {
                warnings.Add(error.ToString());
            }
        }
        return true;
    }

    private object? Run(CelProgram program, object? self, object? oldSelf)
    {
        var evaluation = new CelEvaluation(program.VariableCount, Math.Min(RuleLimit, _budget));
        evaluation.Variables[0] = self;
        evaluation.Variables[1] = oldSelf;
        try
        {
            return program.Code(evaluation);
        }
        finally
        {
            _budget -= evaluation.Cost;
        }
    }

    private static string Failure(CelError error, SchemaRule rule) =>
        error.Message.StartsWith("no such overload", StringComparison.Ordinal)
            ? $"'{error.Message}': call arguments did not match a supported operator, function or macro signature for rule: {rule.Text}"
            : $"{error.Message} evaluating rule: {rule.Text}";

    /// <summary>The value of the <c>messageExpression</c> if it is usable, otherwise the message.</summary>
    private string MessageOf(SchemaRule rule, object? self, object? oldSelf)
    {
        if (rule.MessageExpression is not { } expression)
        {
            return rule.Message;
        }
        try
        {
            return
                Run(expression, self, oldSelf) is string text
                && text.Trim() is { Length: > 0 and <= MaxMessage } message
                && !message.Contains('\n', StringComparison.Ordinal)
                ? message
                : rule.Message;
        }
        catch (CelCostException)
        {
            return "messageExpression evaluation failed due to running out of cost budget";
        }
    }

    private void Report(string path, string reason, string detail) => errors.Add(Error(reason, path, detail));

    /// <summary>An error as kube-apiserver 1.35 prints it: without the value, and without a detail for duplicates.</summary>
    private static FieldError Error(string reason, string path, string detail)
    {
        var field =
            path.Length == 0 ? "<nil>"
            : path[0] == '.' ? path[1..]
            : path;
        return reason switch
        {
            "FieldValueForbidden" => FieldError.Forbidden(field, detail),
            "FieldValueRequired" => FieldError.Required(field, detail),
            "FieldValueDuplicate" => new FieldError(reason, field, "Duplicate value"),
            _ => new FieldError(reason, field, $"Invalid value: {detail}"),
        };
    }

    /// <summary>Finds elements of a list of type map by their keys.</summary>
    private sealed class ListMap
    {
        private readonly Dictionary<string, JsonNode> _items = new(StringComparer.Ordinal);
        private readonly IReadOnlyList<string> _keys;

        public ListMap(JsonArray list, IReadOnlyList<string> keys)
        {
            _keys = keys;
            foreach (var item in list.Objects())
            {
                _items.TryAdd(KeyOf(item), item);
            }
        }

        public JsonNode? Find(JsonNode? item) => item is JsonObject value ? _items.GetValueOrDefault(KeyOf(value)) : null;

        private string KeyOf(JsonObject item) => string.Join('\n', _keys.Select(key => item[key]?.ToJsonString() ?? ""));
    }

    /// <summary>A value and its old value.</summary>
    private sealed class ValueChange(JsonNode? value, JsonNode? old)
    {
        // Compared only if a rule fails.
        private readonly Lazy<bool> _isUnchanged = new(() => JsonAccess.Same(value, old));

        public bool IsUnchanged => _isUnchanged.Value;
    }

    /// <summary>The nearest value, the current one or one that contains it, that has an old value.</summary>
    private readonly record struct Correlation(ValueChange? Nearest, bool IsCurrent)
    {
        public bool IsUnchanged => Nearest?.IsUnchanged == true;

        /// <summary>The correlation of a part of the current value.</summary>
        public Correlation Of(JsonNode? value, JsonNode? old) =>
            Nearest is not null && IsCurrent ? new Correlation(new ValueChange(value, old), true) : this;

        /// <summary>The correlation of a part of the current value that has no old value.</summary>
        public Correlation Ancestor() => this with { IsCurrent = false };
    }
}
