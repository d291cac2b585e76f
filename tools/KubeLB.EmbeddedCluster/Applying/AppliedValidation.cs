using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>Validates an applied object against its schema, so that each of its fields has a unique path.</summary>
internal sealed class AppliedValidation
{
    private readonly List<string> _path = [];
    private readonly List<string> _errors = [];

    private AppliedValidation() { }

    /// <summary>The validation error in Kubernetes' wording; null for a valid object.</summary>
    public static string? Check(JsonObject applied, FieldShape shape)
    {
        var check = new AppliedValidation();
        check.CheckValue(applied, shape);
        return check._errors.Count switch
        {
            0 => null,
            1 => check._errors[0],
            _ => string.Join('\n', check._errors.Select(error => "  " + error).Prepend("errors:")),
        };
    }

    private void CheckValue(JsonNode? value, FieldShape declared)
    {
        var shape = declared.For(value);
        switch (shape.Form, value)
        {
            case (_, null):
                break;
            case (ShapeForm.Map, JsonObject tree):
                CheckMap(tree, shape);
                break;
            case (ShapeForm.List, JsonArray list):
                CheckList(list, shape);
                break;
            case (ShapeForm.Scalar, JsonValue scalar):
                CheckScalar(scalar, shape);
                break;
            case (ShapeForm.Map, _):
                AddError($"expected map, got &{{{Go(value)}}}");
                break;
            case (ShapeForm.List, _):
                AddError($"expected list, got &{{{Go(value)}}}");
                break;
            default:
                CheckKind(value, shape);
                break;
        }
    }

    private void CheckMap(JsonObject tree, FieldShape shape)
    {
        foreach (var (name, item) in tree)
        {
            _path.Add(FieldElement.Member(name));
            if (shape.Allows(name))
            {
                CheckValue(item, shape.Member(name, out _));
            }
            else
            {
                AddError("field not declared in schema");
            }
            _path.RemoveAt(_path.Count - 1);
        }
    }

    private void CheckList(JsonArray list, FieldShape shape)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var element = $"i:{i}";
            if (!shape.IsAtomic)
            {
                try
                {
                    element = ListItems.ElementOf(shape, list[i]);
                }
                catch (FormatException exception)
                {
                    AddError($"element {i}: {exception.Message}");
                    return;
                }
                if (!seen.Add(element))
                {
                    AddError($"duplicate entries for key {FieldElement.Describe(element)}");
                }
            }
            _path.Add(element);
            CheckValue(list[i], shape.Element ?? FieldShape.Deduced);
            _path.RemoveAt(_path.Count - 1);
        }
    }

    private void CheckScalar(JsonValue value, FieldShape shape)
    {
        if (shape.Kinds.Count > 0 && !shape.Kinds.Contains(value.GetValueKind()))
        {
            CheckKind(value, shape);
        }
    }

    private void CheckKind(JsonNode value, FieldShape shape) =>
        AddError(
            (shape.Kinds.Count == 0 ? JsonValueKind.Undefined : shape.Kinds[0]) switch
            {
                JsonValueKind.Number =>
                    $"expected numeric (int or float), got {value.GetValueKind() switch
            {
                JsonValueKind.String => "string",
                JsonValueKind.Object => "map[string]interface {}",
                JsonValueKind.Array => "[]interface {}",
                _ => "bool",
            }}",
                JsonValueKind.String => $"expected string, got &value.valueUnstructured{{Value:{Go(value)}}}",
                JsonValueKind.True => $"expected boolean, got &{{{Go(value)}}}",
                _ => $"expected any scalar, got &{{{Go(value)}}}",
            }
        );

    private void AddError(string message) => _errors.Add(_path.Count == 0 ? message : $"{FieldElement.Describe(_path)}: {message}");

    /// <summary>Formats a value as Go does.</summary>
    private static string Go(JsonNode? value) =>
        value switch
        {
            null => "<nil>",
            JsonObject tree => "map["
                + string.Join(
                    ' ',
                    tree.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => $"{member.Key}:{Go(member.Value)}")
                )
                + "]",
            JsonArray list => $"[{string.Join(' ', list.Select(Go))}]",
            _ => value.AsText() ?? value.ToJsonString(),
        };
}
