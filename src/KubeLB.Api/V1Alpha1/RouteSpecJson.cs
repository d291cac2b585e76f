using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// The spec of a <see cref="Route"/> as JSON, exactly as written. A tenant writes it, and the CRD has no schema for the source object. It
/// is kept as JSON, so that a Route with an invalid spec can still be read, rejected and deleted. Only <see cref="Drop"/> changes it.
/// </summary>
[JsonConverter(typeof(RouteSpecJsonConverter))]
public sealed class RouteSpecJson
{
    /// <summary>
    /// Maximum depth of nested objects and lists. An HTTPRoute needs about twelve levels; JSON libraries allow 64, including those of the
    /// Route itself.
    /// </summary>
    public const int MaxDepth = 50;

    /// <summary>Maximum size in bytes. A larger spec is dropped when it is read, whatever limit the settings have.</summary>
    public const int MaxSize = 1024 * 1024;

    private volatile RouteSpecContent _content;

    internal RouteSpecJson(byte[] utf8)
        : this(new RouteSpecContent(utf8), utf8.Length) { }

    internal RouteSpecJson(RouteSpecContent content, int size)
    {
        _content = content;
        Size = size;
    }

    /// <summary>
    /// The JSON as written, which may not be a valid <see cref="RouteSpec"/>. A spec that is nested more than <see cref="MaxDepth"/> levels
    /// deep is replaced by a string that states the problem; one that was dropped has only the identity of the tenant's object.
    /// </summary>
    public ReadOnlySpan<byte> Utf8 => _content.Utf8;

    /// <summary>The size in bytes as written, also after the content was dropped.</summary>
    public int Size { get; }

    /// <summary>Whether only the identity of the tenant's object is left.</summary>
    public bool IsDropped => _content.IsDropped;

    /// <summary>The current content. What is computed from a spec is cached for its content, and collected with it.</summary>
    public object Content => _content;

    /// <summary>
    /// Frees the memory of a spec that exceeds a limit: keeps only apiVersion, kind, name, namespace and UID of the tenant's object. The
    /// next watch event of the Route has the content again.
    /// </summary>
    public void Drop()
    {
        if (!_content.IsDropped)
        {
            _content = RouteSpecContent.IdentityIn(new Utf8JsonReader(_content.Utf8));
        }
    }

    /// <summary>The JSON of a spec.</summary>
    public static RouteSpecJson Of(RouteSpec spec) => new(Encoding.UTF8.GetBytes(KubernetesJson.Serialize(spec)));

    /// <inheritdoc cref="Of"/>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Of is the alternate.")]
    public static implicit operator RouteSpecJson(RouteSpec spec) => Of(spec);

    /// <summary>Deserializes the spec.</summary>
    /// <exception cref="System.Text.Json.JsonException">The JSON is not a <see cref="RouteSpec"/>.</exception>
    public RouteSpec Read() => KubernetesJson.Deserialize<RouteSpec>(Encoding.UTF8.GetString(_content.Utf8));
}

/// <summary>The content of a <see cref="RouteSpecJson"/>.</summary>
internal sealed class RouteSpecContent(byte[] utf8)
{
    /// <summary>The maximum size of an identity: five texts, which may be escaped.</summary>
    public const int MaxIdentitySize = 32 * 1024;

    private const int MaxTextLength = 512;

    public byte[] Utf8 { get; } = utf8;

    public bool IsDropped { get; private init; }

    /// <summary>A spec with only the identity of the tenant's object.</summary>
    public static RouteSpecContent IdentityIn(Utf8JsonReader reader)
    {
        var resource = new JsonObject();
        if (reader.TokenType == JsonTokenType.None)
        {
            reader.Read();
        }

        if (MoveTo(ref reader, "source") && MoveTo(ref reader, "kubernetes") && MoveTo(ref reader, "resource"))
        {
            CopyTexts(ref reader, resource, ["apiVersion", "kind"], "metadata");
        }

        var spec = new JsonObject { ["source"] = new JsonObject { ["kubernetes"] = new JsonObject { ["resource"] = resource } } };
        return new RouteSpecContent(JsonSerializer.SerializeToUtf8Bytes(spec)) { IsDropped = true };
    }

    // Moves the reader from an object to the value of one of its fields.
    private static bool MoveTo(ref Utf8JsonReader reader, string field)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isField = reader.ValueTextEquals(field);
            reader.Read();
            if (isField)
            {
                return true;
            }

            reader.TrySkip();
        }

        return false;
    }

    // Reads to the end of the object.
    private static void CopyTexts(ref Utf8JsonReader reader, JsonObject target, string[] fields, string? child)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.TrySkip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string? field = null;
            foreach (var name in fields)
            {
                field = reader.ValueTextEquals(name) ? name : field;
            }

            var isChild = child is not null && reader.ValueTextEquals(child);
            reader.Read();
            if (isChild)
            {
                var metadata = new JsonObject();
                CopyTexts(ref reader, metadata, ["name", "namespace", "uid"], child: null);
                target[child!] = metadata;
            }
            else if (field is not null && reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= MaxTextLength)
            {
                target[field] = reader.GetString();
            }
            else
            {
                reader.TrySkip();
            }
        }
    }
}

/// <summary>Keeps a Route's spec as JSON.</summary>
internal sealed class RouteSpecJsonConverter : JsonConverter<RouteSpecJson>
{
    private const string DropMarker = "droppedSize";

    private static readonly byte[] TooDeep = JsonSerializer.SerializeToUtf8Bytes($"nested more than {RouteSpecJson.MaxDepth} levels deep");

    public override RouteSpecJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (IsTooDeep(reader))
        {
            reader.TrySkip();
            return new(TooDeep);
        }

        var start = reader;
        var end = reader;
        end.TrySkip();
        var size = end.BytesConsumed - reader.TokenStartIndex;
        if (size > RouteSpecJson.MaxSize)
        {
            reader.TrySkip();
            return new(RouteSpecContent.IdentityIn(start), (int)size);
        }

        if (size <= RouteSpecContent.MaxIdentitySize && DroppedCopy(reader, out var original) is { } identity)
        {
            reader.TrySkip();
            return new(identity, original);
        }

        using var spec = JsonDocument.ParseValue(ref reader);
        return new(JsonMarshal.GetRawUtf8Value(spec.RootElement).ToArray());
    }

    public override void Write(Utf8JsonWriter writer, RouteSpecJson value, JsonSerializerOptions options)
    {
        if (!value.IsDropped)
        {
            writer.WriteRawValue(value.Utf8, skipInputValidation: true);
            return;
        }

        // A copy of the object must not look like one with a small spec. A tenant cannot write the marker: the API server prunes it.
        var copy = JsonNode.Parse(value.Utf8)!.AsObject();
        copy[DropMarker] = value.Size;
        copy.WriteTo(writer);
    }

    private static RouteSpecContent? DroppedCopy(Utf8JsonReader reader, out int size)
    {
        size = 0;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var start = reader;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isMarker = reader.ValueTextEquals(DropMarker);
            reader.Read();
            if (isMarker)
            {
                return reader.TryGetInt32(out size) ? RouteSpecContent.IdentityIn(start) : null;
            }

            reader.TrySkip();
        }

        return null;
    }

    // The reader is a copy: the caller's position does not change.
    private static bool IsTooDeep(Utf8JsonReader reader)
    {
        var start = reader.CurrentDepth;
        do
        {
            var level = reader.CurrentDepth - start;
            var opens = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if (opens && level >= RouteSpecJson.MaxDepth)
            {
                return true;
            }

            if (!opens && level == 0)
            {
                return false;
            }
        } while (reader.Read());
        return false;
    }
}
