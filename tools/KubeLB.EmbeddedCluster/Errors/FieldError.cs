using System.Globalization;
using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Errors;

/// <summary>An error of one field in the wording of Kubernetes' <c>field.Error</c>.</summary>
/// <param name="Reason">The cause's machine-readable reason, e.g. <c>FieldValueInvalid</c>.</param>
/// <param name="Field">Path of the field.</param>
/// <param name="Message">The error without the path.</param>
internal sealed record FieldError(string Reason, string Field, string Message)
{
    public static FieldError Required(string field, string detail = "") => new("FieldValueRequired", field, Body("Required value", detail));

    public static FieldError Invalid(string field, JsonNode? value, string detail) =>
        new("FieldValueInvalid", field, Body($"Invalid value: {Show(value)}", detail));

    public static FieldError Invalid(string field, string value, string detail) => Invalid(field, JsonValue.Create(value), detail);

    public static FieldError TypeInvalid(string field, string value, string detail) =>
        new("FieldValueTypeInvalid", field, Body($"Invalid value: {Quote(value)}", detail));

    public static FieldError Forbidden(string field, string detail) => new("FieldValueForbidden", field, Body("Forbidden", detail));

    public static FieldError Duplicate(string field, JsonNode? value) =>
        new("FieldValueDuplicate", field, Body($"Duplicate value: {Show(value)}", ""));

    public static FieldError NotFound(string field, string value) =>
        new("FieldValueNotFound", field, Body($"Not found: {Quote(value)}", ""));

    public static FieldError NotSupported(string field, JsonNode? value, IEnumerable<JsonNode?> supported) =>
        new(
            "FieldValueNotSupported",
            field,
            Body($"Unsupported value: {Show(value)}", "supported values: " + string.Join(", ", supported.Select(Show)))
        );

    public static FieldError NotSupported(string field, string value, params IEnumerable<string> supported) =>
        NotSupported(field, JsonValue.Create(value), supported.Select(item => (JsonNode?)JsonValue.Create(item)));

    public static FieldError TooLong(string field, long limit) =>
        new("FieldValueTooLong", field, Body("Too long", $"may not be more than {limit} bytes"));

    public static FieldError TooMany(string field, long actual, long limit) =>
        new("FieldValueTooMany", field, Body($"Too many: {actual}", $"must have at most {limit} item{(limit == 1 ? "" : "s")}"));

    /// <summary>A string as Go's %q prints it.</summary>
    public static string Quote(string value)
    {
        var text = new System.Text.StringBuilder(value.Length + 2).Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' or '\x7f' => text.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => text.Append(c),
            };
        }
        return text.Append('"').ToString();
    }

    public static string Show(JsonNode? value) => value?.ToJsonString(RelaxedJson) ?? "null";

    internal static readonly System.Text.Json.JsonSerializerOptions RelaxedJson = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = Json.JsonReading.MaxDepth + 10,
    };

    private static string Body(string head, string detail) => detail.Length == 0 ? head : $"{head}: {detail}";

    public override string ToString() => $"{Field}: {Message}";
}
