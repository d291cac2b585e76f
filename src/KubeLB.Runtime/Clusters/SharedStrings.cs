using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using k8s;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// Decodes API objects so that equal short strings in them are one string: keys of labels, namespaces, kinds, reasons. Of the strings in a
/// cache of ten thousand objects nine in ten are such, and they would take a seventh of its memory. The pool has a fixed size; what falls
/// out of it is only no longer shared.
/// </summary>
internal sealed class SharedStrings : JsonConverter<string>
{
    private const int Longest = 64;
    private const int Slots = 1 << 13;

    // The client library's own options, which it does not show otherwise. They stay as they are.
    private static readonly JsonSerializerOptions Options = Copy();
    private static readonly string?[] Pool = new string?[Slots];

    /// <summary>As <see cref="KubernetesJson.Deserialize{TValue}(JsonElement, JsonSerializerOptions)"/>.</summary>
    public static T? Deserialize<T>(JsonElement element) => element.Deserialize<T>(Options);

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Text(ref reader);

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Text(ref reader)!;

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value);

    // Whatever is out of the ordinary is read, or refused, as it would be without this.
    private static string? Text(ref Utf8JsonReader reader)
    {
        Span<char> text = stackalloc char[Longest];
        if (
            reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName)
            || reader.HasValueSequence
            || reader.ValueIsEscaped
            || reader.ValueSpan.Length > Longest
            || Utf8.ToUtf16(reader.ValueSpan, text, out _, out var length, replaceInvalidSequences: false)
                != System.Buffers.OperationStatus.Done
        )
        {
            return reader.GetString();
        }

        text = text[..length];
        ref var slot = ref Pool[(uint)string.GetHashCode(text) % Slots];
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

        // Types decide how deep they go: what is kept as JSON may be deeper than a serializer reads by default.
        copy.MaxDepth = AnswerJson.Options.MaxDepth;
        return copy;
    }
}
