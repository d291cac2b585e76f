using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>
/// Decodes a tree like Kubernetes' Go structs: unknown members are removed (and reported), nulls and empty maps and lists are omitted,
/// values of the wrong type are errors, times are normalized.
/// </summary>
internal sealed class TypedDecoder
{
    // Without omitempty in Go: an empty list is kept.
    private static readonly string[] KeptWhenEmpty = ["endpoints", "rules"];

    /// <summary>Paths of unknown members.</summary>
    public List<string> Unknown { get; } = [];

    /// <exception cref="FormatException">A value has the wrong type; the message is Go's.</exception>
    public void Decode(JsonObject tree, TypeSchema schema) => DecodeObject(tree, schema, "");

    private void DecodeObject(JsonObject tree, TypeSchema schema, string path)
    {
        List<string>? dropped = null;
        foreach (var (name, value) in tree)
        {
            var memberPath = path.Length == 0 ? name : $"{path}.{name}";
            if (!schema.Members.TryGetValue(name, out var member))
            {
                if (value is not null)
                {
                    Unknown.Add(memberPath);
                }
                (dropped ??= []).Add(name);
                continue;
            }
            if (value is null)
            {
                (dropped ??= []).Add(name);
                continue;
            }
            var replacement = DecodeValue(value, member.Type, memberPath, schema.GoName);
            if (IsEmpty(value, member.Type.Form) && !KeptWhenEmpty.Contains(name))
            {
                (dropped ??= []).Add(name);
            }
            else if (!ReferenceEquals(replacement, value))
            {
                (_replacements ??= []).Add((tree, name, replacement));
            }
        }
        foreach (var name in dropped ?? [])
        {
            tree.Remove(name);
        }
        Replace();
    }

    private List<(JsonObject Owner, string Name, JsonNode? Value)>? _replacements;

    private void Replace()
    {
        if (_replacements is null)
        {
            return;
        }
        foreach (var (owner, name, value) in _replacements)
        {
            owner[name] = value;
        }
        _replacements = null;
    }

    private static bool IsEmpty(JsonNode value, ValueForm form) =>
        (form is ValueForm.Map && value is JsonObject { Count: 0 }) || (form is ValueForm.List && value is JsonArray { Count: 0 });

    private JsonNode DecodeValue(JsonNode value, TypeSchema type, string path, string owner)
    {
        switch (type.Form)
        {
            case ValueForm.Object when value is JsonObject tree:
                DecodeObject(tree, type, path);
                return value;
            case ValueForm.Map when value is JsonObject map:
                DecodeMap(map, type.Element!, path, owner);
                return value;
            case ValueForm.List when value is JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is { } item)
                    {
                        var decoded = DecodeValue(item, type.Element!, $"{path}[{i}]", owner);
                        if (!ReferenceEquals(decoded, item))
                        {
                            list[i] = decoded;
                        }
                    }
                }
                return value;
            case ValueForm.Any:
                return value;
            default:
                return DecodeScalar(value, type, path, owner);
        }
    }

    private void DecodeMap(JsonObject map, TypeSchema element, string path, string owner)
    {
        List<(string Key, JsonNode Value)>? changed = null;
        foreach (var (key, item) in map)
        {
            if (item is null)
            {
                if (element.Form is ValueForm.Text or ValueForm.Bytes)
                {
                    (changed ??= []).Add((key, ""));
                }
                continue;
            }
            var decoded = DecodeValue(item, element, $"{path}.{key}", owner);
            if (!ReferenceEquals(decoded, item))
            {
                (changed ??= []).Add((key, decoded));
            }
        }
        foreach (var (key, item) in changed ?? [])
        {
            map[key] = item;
        }
    }

    private static JsonNode DecodeScalar(JsonNode value, TypeSchema type, string path, string owner)
    {
        var kind = value.GetValueKind();
        switch (type.Form)
        {
            case ValueForm.Text when kind == JsonValueKind.String:
            case ValueForm.Boolean when kind is JsonValueKind.True or JsonValueKind.False:
            case ValueForm.Integer when value.AsInteger() is { } integer && Fits(integer, type):
            case ValueForm.Number when kind == JsonValueKind.Number:
            case ValueForm.IntOrString when kind == JsonValueKind.String || value.AsInteger() is not null:
                return value;
            case ValueForm.Quantity when kind is JsonValueKind.String or JsonValueKind.Number:
                return kind == JsonValueKind.Number ? JsonValue.Create(value.ToJsonString()) : value;
            case ValueForm.Bytes when kind == JsonValueKind.String:
                CheckBase64(value.AsText()!);
                return value;
            case ValueForm.Time or ValueForm.MicroTime when kind == JsonValueKind.String:
                return Time(value.AsText()!, type.Form == ValueForm.MicroTime);
            default:
                var given = kind switch
                {
                    JsonValueKind.String => "string",
                    JsonValueKind.Number => type.Form == ValueForm.Integer ? $"number {value.ToJsonString()}" : "number",
                    JsonValueKind.True or JsonValueKind.False => "bool",
                    JsonValueKind.Array => "array",
                    _ => "object",
                };
                throw new FormatException(
                    $"json: cannot unmarshal {given} into Go struct field {owner}.{WithoutIndexes(path)} of type {type.GoType}"
                );
        }
    }

    private static bool Fits(long value, TypeSchema type) => type.GoType == "int64" || value is >= int.MinValue and <= int.MaxValue;

    private static string WithoutIndexes(string path)
    {
        var open = path.IndexOf('[', StringComparison.Ordinal);
        return open < 0 ? path : System.Text.RegularExpressions.Regex.Replace(path, @"\[\d+\]", "");
    }

    private static void CheckBase64(string text)
    {
        Span<byte> buffer = text.Length <= 4096 ? stackalloc byte[4096] : new byte[text.Length];
        if (!Convert.TryFromBase64String(text, buffer, out _))
        {
            var at = 0;
            while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '+' or '/'))
            {
                at++;
            }
            throw new FormatException(
                $"illegal base64 data at input byte {(at < text.Length ? at : Math.Max(0, text.Length - (text.Length % 4)))}"
            );
        }
    }

    private static JsonValue Time(string text, bool micro)
    {
        if (
            !DateTimeOffset.TryParse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var time
            )
        )
        {
            throw new FormatException(
                $"parsing time {Errors.FieldError.Quote('"' + text + '"')} as \"2006-01-02T15:04:05Z07:00\": "
                    + $"cannot parse {Errors.FieldError.Quote(text)} as \"2006\""
            );
        }
        var normal = time.UtcDateTime.ToString(
            micro ? "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'" : "yyyy-MM-dd'T'HH:mm:ss'Z'",
            CultureInfo.InvariantCulture
        );
        return JsonValue.Create(normal);
    }
}
