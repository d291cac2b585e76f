using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>
/// Equality of JSON as the API server sees it: absent and null are the same, and a time is the same with and without the fraction of a
/// second that <c>metav1.Time</c> drops.
/// </summary>
internal static class JsonScalars
{
    public static bool Same(JsonNode? left, JsonNode? right)
    {
        switch (left, right)
        {
            case (null, null):
                return true;
            case (JsonObject a, JsonObject b):
                return a.All(field => Same(field.Value, b[field.Key])) && b.All(field => field.Value is null || a[field.Key] is not null);
            case (JsonArray a, JsonArray b):
                return a.Count == b.Count && a.Zip(b).All(pair => Same(pair.First, pair.Second));
            case (JsonValue a, JsonValue b):
                return JsonNode.DeepEquals(a, b) || SameTime(a, b);
            default:
                return false;
        }
    }

    private static bool SameTime(JsonValue left, JsonValue right) =>
        TimeOf(left) is var (a, aFraction)
        && TimeOf(right) is var (b, bFraction)
        && (a == b || (aFraction != bFraction && a.Ticks / TimeSpan.TicksPerSecond == b.Ticks / TimeSpan.TicksPerSecond));

    private static (DateTime Time, bool HasFraction)? TimeOf(JsonValue value)
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
