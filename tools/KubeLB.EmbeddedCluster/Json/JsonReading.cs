using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Json;

/// <summary>
/// Parses JSON into a fully materialized tree. Unlike <see cref="JsonNode.Parse(string, JsonNodeOptions?, JsonDocumentOptions)"/> it
/// accepts duplicate members (as kube-apiserver does), keeps integers as <see cref="long"/>, and has Go's error messages.
/// </summary>
internal static class JsonReading
{
    /// <summary>Maximum nesting depth: more than any API object needs, and less than the stack allows.</summary>
    public const int MaxDepth = 500;

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth, CommentHandling = JsonCommentHandling.Disallow };

    /// <exception cref="FormatException">The bytes are not a single JSON document; the message is Go's.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, JsonFindings? findings = null)
    {
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        try
        {
            if (!reader.Read())
            {
                throw new FormatException("unexpected end of JSON input");
            }
            var node = ReadValue(ref reader, findings, findings is null ? null : new StringBuilder());
            if (reader.Read())
            {
                throw new FormatException("invalid data after top-level value");
            }
            return node;
        }
        catch (JsonException exception)
        {
            throw new FormatException(Describe(utf8, reader, exception), exception);
        }
        catch (InvalidOperationException exception)
        {
            throw new FormatException("invalid UTF-8 in string literal", exception);
        }
    }

    /// <exception cref="FormatException">The text is not a single JSON object.</exception>
    public static JsonObject ParseObject(ReadOnlySpan<byte> utf8, JsonFindings? findings = null) =>
        Parse(utf8, findings) as JsonObject
        ?? throw new FormatException("json: cannot unmarshal into Go value of type map[string]interface {}: the document is not an object");

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, JsonFindings? findings, StringBuilder? path)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, findings, path);
            case JsonTokenType.StartArray:
                var array = new JsonArray();
                var index = 0;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    var length = path?.Length ?? 0;
                    path?.Append(CultureInfo.InvariantCulture, $"[{index}]");
                    array.Add(ReadValue(ref reader, findings, path));
                    if (path is not null)
                    {
                        path.Length = length;
                    }
                    index++;
                }
                return array;
            case JsonTokenType.String:
                return JsonValue.Create(reader.GetString());
            case JsonTokenType.Number:
                if (reader.TryGetInt64(out var integer))
                {
                    return JsonValue.Create(integer);
                }
                var number = reader.GetDouble();
                return double.IsFinite(number) ? JsonValue.Create(number) : throw new FormatException("json: number out of range");
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            default:
                return null;
        }
    }

    private static JsonObject ReadObject(ref Utf8JsonReader reader, JsonFindings? findings, StringBuilder? path)
    {
        var result = new JsonObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var length = path?.Length ?? 0;
            path?.Append(length == 0 ? "" : ".").Append(name);
            if (findings is not null && result.ContainsKey(name))
            {
                findings.Duplicates.Add(path!.ToString());
            }
            reader.Read();
            result[name] = ReadValue(ref reader, findings, path);
            if (path is not null)
            {
                path.Length = length;
            }
        }
        return result;
    }

    private static string Describe(ReadOnlySpan<byte> utf8, Utf8JsonReader reader, JsonException exception)
    {
        if (exception.Message.Contains("depth", StringComparison.OrdinalIgnoreCase))
        {
            return "exceeded max depth";
        }
        var at = (int)reader.BytesConsumed;
        while (at < utf8.Length && (char.IsWhiteSpace((char)utf8[at]) || utf8[at] is (byte)',' or (byte)':'))
        {
            at++;
        }
        return at >= utf8.Length || exception.Message.Contains("end of data", StringComparison.OrdinalIgnoreCase)
            ? "unexpected end of JSON input"
            : $"invalid character {Quote(utf8[at])} looking for beginning of value";
    }

    /// <summary>Quotes a byte like Go's %q for a rune.</summary>
    private static string Quote(byte value) =>
        value switch
        {
            (byte)'\'' => "'\\''",
            (byte)'"' => "'\"'",
            >= 0x20 and < 0x7f => $"'{(char)value}'",
            < 0x20 => $"'\\x{value:x2}'",
            _ => $"'\\u00{value:x2}'",
        };
}

/// <summary>Findings of a parser in addition to the document.</summary>
internal sealed class JsonFindings
{
    /// <summary>Paths of duplicate members; the last one is used, as in Kubernetes.</summary>
    public List<string> Duplicates { get; } = [];
}
