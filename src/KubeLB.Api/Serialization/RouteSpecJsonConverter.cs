using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Serialization;

/// <summary>Keeps a Route's spec as it stands in the JSON.</summary>
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

    // Reads ahead on a copy of the reader.
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
