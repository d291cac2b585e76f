using System.Text.Json;
using System.Text.Json.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Serialization;

/// <summary>
/// Reads the Services that a Route carries, for which its definition has no schema: whatever stands there, the Route can be read, and refused. One
/// that could not would stay as it was to those who knew it, be nothing to others, and never end.
/// </summary>
internal sealed class CarriedServicesConverter : JsonConverter<List<RouteService>>
{
    public override List<RouteService>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var services = JsonElement.ParseValue(ref reader);
        return services.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Array => [.. services.EnumerateArray().Select(s => Read(s, options)!)],
            _ => [new() { UnreadableAt = "$", Unreadable = services, InsteadOfList = true }],
        };
    }

    public override void Write(Utf8JsonWriter writer, List<RouteService> value, JsonSerializerOptions options)
    {
        if (value is [{ InsteadOfList: true } instead])
        {
            instead.Unreadable.WriteTo(writer);
            return;
        }

        writer.WriteStartArray();
        foreach (var service in value)
        {
            if (service?.UnreadableAt is not null)
            {
                service.Unreadable.WriteTo(writer);
            }
            else
            {
                JsonSerializer.Serialize(writer, service, options);
            }
        }

        writer.WriteEndArray();
    }

    private static RouteService? Read(JsonElement service, JsonSerializerOptions options)
    {
        try
        {
            return service.Deserialize<RouteService>(options);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException or OverflowException)
        {
            return new() { UnreadableAt = (e as JsonException)?.Path ?? "$", Unreadable = service };
        }
    }
}
