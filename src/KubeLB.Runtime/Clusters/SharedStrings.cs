using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using k8s;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// Decodes API objects with pooled short strings, such as label keys, namespaces, kinds and reasons. In a cache of 10,000 objects, 90 % of
/// the strings are duplicates and would occupy one seventh of the memory. The pool has a fixed size; strings that are evicted are no longer
/// shared.
/// </summary>
internal sealed class SharedStrings : JsonConverter<string>
{
    private const int MaxLength = 64;
    private const int PoolSize = 1 << 13;

    // A copy of the options of KubernetesClient, which are only accessible through AddJsonOptions.
    private static readonly JsonSerializerOptions Options = Copy();
    private static readonly string?[] Pool = new string?[PoolSize];

    /// <summary>The same as <see cref="KubernetesJson.Deserialize{TValue}(JsonElement, JsonSerializerOptions)"/>.</summary>
    public static T? Deserialize<T>(JsonElement element) => element.Deserialize<T>(Options);

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Text(ref reader);

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Text(ref reader)!;

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value);

    // Escaped, long or invalid strings are handled by the reader itself.
    private static string? Text(ref Utf8JsonReader reader)
    {
        Span<char> text = stackalloc char[MaxLength];
        if (
            reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName)
            || reader.HasValueSequence
            || reader.ValueIsEscaped
            || reader.ValueSpan.Length > MaxLength
            || Utf8.ToUtf16(reader.ValueSpan, text, out _, out var length, replaceInvalidSequences: false)
                != System.Buffers.OperationStatus.Done
        )
        {
            return reader.GetString();
        }

        text = text[..length];
        ref var slot = ref Pool[(uint)string.GetHashCode(text) % PoolSize];
        var known = Volatile.Read(ref slot);
        if (known is not null && text.SequenceEqual(known))
        {
            return known;
        }

        known = text.ToString();
        Volatile.Write(ref slot, known);
        return known;
    }

    private static JsonSerializerOptions Copy()
    {
        JsonSerializerOptions? copy = null;
        KubernetesJson.AddJsonOptions(options => copy = new JsonSerializerOptions(options));
        copy!.Converters.Add(new SharedStrings());

        // Fields that are kept as raw JSON may be nested deeper than the serializer's default limit.
        copy.MaxDepth = ApiTransport.JsonOptions.MaxDepth;
        return copy;
    }
}
