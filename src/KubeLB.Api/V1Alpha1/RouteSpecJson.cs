using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// The spec of a <see cref="Route"/> as JSON, exactly as written. A tenant writes it, and the CRD has no schema for the source object. It
/// is kept as JSON, so that a Route with an invalid spec can still be read, rejected and deleted. Immutable.
/// </summary>
[JsonConverter(typeof(RouteSpecJsonConverter))]
public sealed class RouteSpecJson
{
    /// <summary>
    /// Maximum depth of nested objects and lists. An HTTPRoute needs about twelve levels; JSON libraries allow 64, including those of the
    /// Route itself.
    /// </summary>
    public const int MaxDepth = 50;

    private readonly byte[] _utf8;

    internal RouteSpecJson(byte[] utf8) => _utf8 = utf8;

    /// <summary>
    /// The JSON as written, which may not be a valid <see cref="RouteSpec"/>. A spec that is nested more than <see cref="MaxDepth"/> levels
    /// deep is replaced by a string that states the problem.
    /// </summary>
    public ReadOnlySpan<byte> Utf8 => _utf8;

    /// <summary>The JSON of a spec.</summary>
    public static RouteSpecJson Of(RouteSpec spec) => new(Encoding.UTF8.GetBytes(KubernetesJson.Serialize(spec)));

    /// <inheritdoc cref="Of"/>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Of is the alternate.")]
    public static implicit operator RouteSpecJson(RouteSpec spec) => Of(spec);

    /// <summary>Deserializes the spec.</summary>
    /// <exception cref="System.Text.Json.JsonException">The JSON is not a <see cref="RouteSpec"/>.</exception>
    public RouteSpec Read() => KubernetesJson.Deserialize<RouteSpec>(Encoding.UTF8.GetString(_utf8));
}

/// <summary>Keeps a Route's spec as JSON.</summary>
internal sealed class RouteSpecJsonConverter : JsonConverter<RouteSpecJson>
{
    private static readonly byte[] TooDeep = JsonSerializer.SerializeToUtf8Bytes($"nested more than {RouteSpecJson.MaxDepth} levels deep");

    public override RouteSpecJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (IsTooDeep(reader))
        {
            reader.TrySkip();
            return new(TooDeep);
        }

        using var spec = JsonDocument.ParseValue(ref reader);
        return new(JsonMarshal.GetRawUtf8Value(spec.RootElement).ToArray());
    }

    public override void Write(Utf8JsonWriter writer, RouteSpecJson value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Utf8, skipInputValidation: true);

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
