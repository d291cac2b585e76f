using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>The result of an expression that cannot be evaluated.</summary>
/// <param name="Message">The cause in the wording of cel-go.</param>
internal sealed record CelError(string Message)
{
    public static CelError NoOverload { get; } = new("no such overload");

    public static CelError NoKey(object? key) => new($"no such key: {CelValue.Print(key)}");
}

/// <summary>A duration in nanoseconds.</summary>
internal readonly record struct CelDuration(long Nanoseconds);

/// <summary>A list.</summary>
/// <param name="Items">The elements.</param>
/// <param name="Type">The list's type; null for a list that an expression created.</param>
internal sealed record CelList(IReadOnlyList<object?> Items, CelType? Type = null);

/// <summary>An optional value.</summary>
internal sealed record CelOptional(bool HasValue, object? Value)
{
    public static CelOptional None { get; } = new(false, null);

    public static CelOptional Of(object? value) => new(true, value);
}

/// <summary>A map with keys of type string, int, uint or bool.</summary>
internal abstract class CelMap
{
    public abstract int Count { get; }

    public abstract IEnumerable<object> Keys { get; }

    public abstract bool TryGet(object? key, out object? value);
}

/// <summary>A map that an expression created.</summary>
internal sealed class CelMapValue(Dictionary<object, object?> entries) : CelMap
{
    public override int Count => entries.Count;

    public override IEnumerable<object> Keys => entries.Keys;

    public override bool TryGet(object? key, out object? value)
    {
        value = null;
        return key is not null && entries.TryGetValue(key, out value);
    }
}

/// <summary>A map of an API object.</summary>
internal sealed class CelJsonMap(JsonObject json, CelType type) : CelMap
{
    public override int Count => json.Count;

    public override IEnumerable<object> Keys => json.Select(member => (object)member.Key);

    public override bool TryGet(object? key, out object? value)
    {
        if (key is string name && json.TryGetPropertyValue(name, out var member))
        {
            value = CelValue.Of(member, type.Element);
            return true;
        }
        value = null;
        return false;
    }
}

/// <summary>An object with fields.</summary>
internal sealed class CelObject(JsonObject json, CelType type)
{
    // Fields are selected repeatedly, in pairwise comparisons of list elements quadratically often.
    private readonly Dictionary<string, object?> _fields = new(StringComparer.Ordinal);

    public JsonObject Json => json;

    public CelType Type => type;

    public bool Has(string property) => json.ContainsKey(property);

    /// <summary>The value of a field; an error if it is absent.</summary>
    public object? Get(CelField field)
    {
        if (!_fields.TryGetValue(field.Property, out var value))
        {
            value = json.TryGetPropertyValue(field.Property, out var member)
                ? CelValue.Of(member, field.Type)
                : CelError.NoKey(field.Property);
            _fields[field.Property] = value;
        }
        return value;
    }
}

/// <summary>Conversions, comparisons and texts of values.</summary>
internal static class CelValue
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    /// <summary>The value of a part of an API object. Objects and maps are views, so only what an expression reads is converted.</summary>
    public static object? Of(JsonNode? node, CelType type)
    {
        switch (type.Kind)
        {
            case CelKind.Object when node is JsonObject json:
                return new CelObject(json, type);
            case CelKind.Map when node is JsonObject json:
                return new CelJsonMap(json, type);
            case CelKind.List when node is JsonArray array:
                return new CelList([.. array.Select(item => Of(item, type.Element))], type);
            case CelKind.Int when node.AsInteger() is { } integer:
                return integer;
            case CelKind.Double when node.AsNumber() is { } number:
                return number;
        }
        return node.Kind() switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => node.AsInteger() is { } integer ? integer : node.AsNumber(),
            JsonValueKind.String => OfText(node.AsText()!, type),
            _ => new CelError($"invalid data, expected {type}"),
        };
    }

    private static object OfText(string text, CelType type)
    {
        switch (type.Kind)
        {
            case CelKind.Bytes:
                var bytes = new byte[text.Length];
                return Convert.TryFromBase64String(text, bytes, out var length)
                    ? bytes[..length]
                    : new CelError($"invalid byte formatted string {text}");
            case CelKind.Timestamp:
                return TryTimestamp(text, out var time) ? time : new CelError($"invalid date formatted string {text}");
            case CelKind.Duration:
                return TryDuration(text, out var duration) ? duration : new CelError($"invalid duration formatted string {text}");
            default:
                return text;
        }
    }

    public static bool TryTimestamp(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out time
        );

    /// <summary>Parses a duration in the format of Go, e.g. <c>1h2m3.5s</c>.</summary>
    public static bool TryDuration(string text, out CelDuration duration)
    {
        duration = default;
        var rest = text.AsSpan();
        var isNegative = rest.StartsWith("-");
        if (rest.Length > 0 && rest[0] is '-' or '+')
        {
            rest = rest[1..];
        }
        if (rest is "0")
        {
            return true;
        }
        if (rest.IsEmpty)
        {
            return false;
        }
        var total = 0m;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(Digits);
            if (
                digits <= 0
                || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            )
            {
                return false;
            }
            rest = rest[digits..];
            var end = rest.IndexOfAny(Digits);
            var unit = end < 0 ? rest : rest[..end];
            decimal factor = unit switch
            {
                "ns" => 1,
                "us" or "µs" or "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => NanosecondsPerSecond,
                "m" => 60 * NanosecondsPerSecond,
                "h" => 3600 * NanosecondsPerSecond,
                _ => 0,
            };
            // The second condition avoids the overflow of decimal.
            if (factor == 0 || number > long.MaxValue || (total += number * factor) > long.MaxValue)
            {
                return false;
            }
            rest = rest[unit.Length..];
        }
        duration = new CelDuration((long)(isNegative ? -total : total));
        return true;
    }

    /// <summary>The kind of a value.</summary>
    public static CelKind KindOf(object? value) =>
        value switch
        {
            null => CelKind.Null,
            bool => CelKind.Bool,
            long => CelKind.Int,
            ulong => CelKind.Uint,
            double => CelKind.Double,
            string => CelKind.String,
            byte[] => CelKind.Bytes,
            CelDuration => CelKind.Duration,
            DateTimeOffset => CelKind.Timestamp,
            CelList => CelKind.List,
            CelMap => CelKind.Map,
            CelObject => CelKind.Object,
            CelOptional => CelKind.Optional,
            _ => CelKind.Dyn,
        };

    /// <summary>Equality of two values. Values of different types are not equal, except numbers.</summary>
    public static bool AreEqual(object? left, object? right, CelEvaluation evaluation)
    {
        evaluation.Charge(1);
        switch (left, right)
        {
            case (string a, string b):
                evaluation.ChargeText(Math.Min(a.Length, b.Length));
                return string.Equals(a, b, StringComparison.Ordinal);
            case (bool a, bool b):
                return a == b;
            case (long or ulong or double, long or ulong or double):
                return Compare(left, right) == 0;
            case (byte[] a, byte[] b):
                evaluation.ChargeText(Math.Min(a.Length, b.Length));
                return a.AsSpan().SequenceEqual(b);
            case (CelList a, CelList b):
                return AreEqual(a, b, evaluation);
            case (CelMap a, CelMap b):
                return a.Count == b.Count
                    && a.Keys.All(key => a.TryGet(key, out var one) && b.TryGet(key, out var other) && AreEqual(one, other, evaluation));
            case (CelObject a, CelObject b):
                return AreEqual(a, b, evaluation);
            case (CelOptional a, CelOptional b):
                return a.HasValue == b.HasValue && (!a.HasValue || AreEqual(a.Value, b.Value, evaluation));
            default:
                return Equals(left, right);
        }
    }

    /// <summary>Equality of lists; the order is not significant in sets and in lists of type map.</summary>
    private static bool AreEqual(CelList left, CelList right, CelEvaluation evaluation)
    {
        if (left.Items.Count != right.Items.Count)
        {
            return false;
        }
        if (left.Type?.ListType is "set" or "map")
        {
            return left.Items.All(item => right.Items.Any(other => AreEqual(item, other, evaluation)));
        }
        for (var i = 0; i < left.Items.Count; i++)
        {
            if (!AreEqual(left.Items[i], right.Items[i], evaluation))
            {
                return false;
            }
        }
        return true;
    }

    private static bool AreEqual(CelObject left, CelObject right, CelEvaluation evaluation)
    {
        if (left.Json.Count != right.Json.Count)
        {
            return false;
        }
        foreach (var (name, value) in left.Json)
        {
            if (!right.Json.TryGetPropertyValue(name, out var other))
            {
                return false;
            }
            evaluation.Charge(1);
            var isSame = left.Type.Properties.TryGetValue(name, out var type)
                ? AreEqual(Of(value, type), Of(other, type), evaluation)
                : JsonNode.DeepEquals(value, other);
            if (!isSame)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The order of two values; null if they have none.</summary>
    public static int? Compare(object? left, object? right)
    {
        switch (left, right)
        {
            case (long a, long b):
                return a.CompareTo(b);
            case (ulong a, ulong b):
                return a.CompareTo(b);
            case (double a, double b):
                return double.IsNaN(a) || double.IsNaN(b) ? null : a.CompareTo(b);
            case (long a, ulong b):
                return a < 0 ? -1 : ((ulong)a).CompareTo(b);
            case (ulong a, long b):
                return b < 0 ? 1 : a.CompareTo((ulong)b);
            case (double a, long or ulong):
                return double.IsNaN(a) ? null : a.CompareTo(Convert.ToDouble(right, CultureInfo.InvariantCulture));
            case (long or ulong, double b):
                return double.IsNaN(b) ? null : Convert.ToDouble(left, CultureInfo.InvariantCulture).CompareTo(b);
            case (string a, string b):
                return CompareUtf8(a, b);
            case (bool a, bool b):
                return a.CompareTo(b);
            case (byte[] a, byte[] b):
                return a.AsSpan().SequenceCompareTo(b);
            case (CelDuration a, CelDuration b):
                return a.Nanoseconds.CompareTo(b.Nanoseconds);
            case (DateTimeOffset a, DateTimeOffset b):
                return a.CompareTo(b);
            default:
                return null;
        }
    }

    /// <summary>The order of the texts as UTF-8, which differs from that of UTF-16 for surrogates.</summary>
    private static int CompareUtf8(string left, string right)
    {
        var length = left.AsSpan().CommonPrefixLength(right);
        if (length == left.Length || length == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }
        var (a, b) = (left[length], right[length]);
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b)
            : char.IsSurrogate(a) ? 1
            : -1;
    }

    /// <summary>The number of characters (code points) of a text.</summary>
    public static int Length(string text)
    {
        var pairs = 0;
        foreach (var c in text)
        {
            pairs += char.IsLowSurrogate(c) ? 1 : 0;
        }
        return text.Length - pairs;
    }

    /// <summary>A value in error messages and as the result of <c>string()</c>; null if it has no text.</summary>
    public static string? Print(object? value) =>
        value switch
        {
            null => "null",
            string text => text,
            bool flag => flag ? "true" : "false",
            long or ulong => Convert.ToString(value, CultureInfo.InvariantCulture),
            double number => number.ToString("R", CultureInfo.InvariantCulture),
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            CelDuration duration => ((decimal)duration.Nanoseconds / NanosecondsPerSecond).ToString(
                "0.#########",
                CultureInfo.InvariantCulture
            ) + "s",
            DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
            _ => null,
        };
}

/// <summary>The state of one evaluation: the variables and the cost.</summary>
/// <param name="variables">The number of variables.</param>
/// <param name="limit">The limit of the cost.</param>
internal sealed class CelEvaluation(int variables, long limit)
{
    /// <summary>The values of the variables by index.</summary>
    public object?[] Variables { get; } = new object?[variables];

    /// <summary>The cost so far: one for each evaluated node and for ten characters of a processed text.</summary>
    public long Cost { get; private set; }

    /// <exception cref="CelCostException">The limit is exceeded.</exception>
    public void Charge(long cost)
    {
        Cost += cost;
        if (Cost > limit)
        {
            throw new CelCostException();
        }
    }

    /// <summary>Charges the cost of processing a text.</summary>
    /// <exception cref="CelCostException">The limit is exceeded.</exception>
    public void ChargeText(long length) => Charge(length / 10);
}

/// <summary>Ends an evaluation that exceeds the limit of its cost.</summary>
internal sealed class CelCostException() : Exception("operation cancelled: actual cost limit exceeded");
