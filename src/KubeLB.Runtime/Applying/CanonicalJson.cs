using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>Hashes of JSON that do not depend on the order of fields.</summary>
internal static class CanonicalJson
{
    /// <summary>
    /// 128 bits of SHA-256 as hexadecimal text; nulls inside objects count as absent unless <paramref name="keepNulls"/>.
    /// </summary>
    public static string Hash(JsonNode? node, bool keepNulls = false)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, node, keepNulls);
        }

        return Convert.ToHexStringLower(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length))[..16]);
    }

    private static void Write(Utf8JsonWriter writer, JsonNode? node, bool keepNulls)
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
                        Write(writer, value, keepNulls);
                    }
                }

                writer.WriteEndObject();
                break;
            case JsonArray array:
                writer.WriteStartArray();
                foreach (var value in array)
                {
                    Write(writer, value, keepNulls);
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
}
