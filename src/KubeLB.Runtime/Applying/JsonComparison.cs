using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Compares JSON of Kubernetes objects as the API server does: absent and null are equal, and a time is equal with and without the fraction
/// of a second that <c>metav1.Time</c> drops.
/// </summary>
public static class JsonComparison
{
    /// <summary>True if both values are equal; the order of fields is ignored.</summary>
    internal static bool AreEqual(JsonNode? left, JsonNode? right)
    {
        switch (left, right)
        {
            case (null, null):
                return true;
            case (JsonObject a, JsonObject b):
                return a.All(field => AreEqual(field.Value, b[field.Key]))
                    && b.All(field => field.Value is null || a[field.Key] is not null);
            case (JsonArray a, JsonArray b):
                return a.Count == b.Count && a.Zip(b).All(pair => AreEqual(pair.First, pair.Second));
            case (JsonValue a, JsonValue b):
                return JsonNode.DeepEquals(a, b) || AreEqualTimes(a, b);
            default:
                return false;
        }
    }

    /// <summary>
    /// True if every field of <paramref name="desired"/> is in <paramref name="current"/> with the same value; further fields, such as
    /// defaults that the API server set, are ignored. A null in <paramref name="desired"/> requires absence. Arrays must have the same
    /// length and are compared element by element.
    /// </summary>
    public static bool Contains(JsonNode? current, JsonNode? desired) =>
        desired switch
        {
            null => current is null,
            JsonObject fields => current is JsonObject present && fields.All(field => Contains(present[field.Key], field.Value)),
            JsonArray items => current is JsonArray present
                && present.Count == items.Count
                && items.Zip(present).All(pair => Contains(pair.Second, pair.First)),
            _ => AreEqual(current, desired),
        };

    /// <summary>
    /// 128 bits of SHA-256 as hexadecimal text, independent of the order of fields. Nulls in objects are treated as absent unless
    /// <paramref name="keepNulls"/> is set.
    /// </summary>
    internal static string Hash(JsonNode? node, bool keepNulls = false)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            WriteCanonical(writer, node, keepNulls);
        }

        return Convert.ToHexStringLower(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length))[..16]);
    }

    private static void WriteCanonical(Utf8JsonWriter writer, JsonNode? node, bool keepNulls)
    {
        switch (node)
        {
            case JsonObject obj:
                writer.WriteStartObject();
                foreach (var (name, value) in obj.OrderBy(field => field.Key, StringComparer.Ordinal))
                {
                    if (value is not null || keepNulls)
                    {
                        writer.WritePropertyName(name);
                        WriteCanonical(writer, value, keepNulls);
                    }
                }

                writer.WriteEndObject();
                break;
            case JsonArray array:
                writer.WriteStartArray();
                foreach (var value in array)
                {
                    WriteCanonical(writer, value, keepNulls);
                }

                writer.WriteEndArray();
                break;
            case null:
                writer.WriteNullValue();
                break;
            default:
                node.WriteTo(writer);
                break;
        }
    }

    private static bool AreEqualTimes(JsonValue left, JsonValue right) =>
        ParseTime(left) is var (a, aFraction)
        && ParseTime(right) is var (b, bFraction)
        && (a == b || (aFraction != bFraction && a.Ticks / TimeSpan.TicksPerSecond == b.Ticks / TimeSpan.TicksPerSecond));

    private static (DateTime Time, bool HasFraction)? ParseTime(JsonValue value)
    {
        if (value.GetValueKind() != JsonValueKind.String)
        {
            return null;
        }

        var text = value.GetValue<string>();
        return
            text.Length is >= 20 and <= 35
            && text[4] == '-'
            && text[10] == 'T'
            && char.IsAsciiDigit(text[0])
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? (time.UtcDateTime, text.Contains('.', StringComparison.Ordinal))
            : null;
    }
}
