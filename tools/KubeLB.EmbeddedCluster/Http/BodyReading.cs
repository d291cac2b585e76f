using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Protobuf;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>Reads request bodies in JSON and YAML, with a size limit.</summary>
internal static class BodyReading
{
    /// <summary>Maximum size of a body in bytes, as in kube-apiserver.</summary>
    public const int MaxBytes = 3 * 1024 * 1024;

    /// <exception cref="ApiException">413 if the body is larger than <see cref="MaxBytes"/>.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBytes)
        {
            throw ApiErrors.TooLarge(MaxBytes);
        }
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted);
            if (result.Buffer.Length > MaxBytes)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw ApiErrors.TooLarge(MaxBytes);
            }
            if (result.IsCompleted)
            {
                var body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return body;
            }
            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>The encoding of a body; JSON if there is no content type.</summary>
    /// <exception cref="ApiException">415 for an unsupported media type.</exception>
    public static BodyEncoding EncodingOf(HttpRequest request) =>
        MediaType(request) switch
        {
            "" or "application/json" => BodyEncoding.Json,
            "application/yaml" or "application/x-yaml" or "text/yaml" => BodyEncoding.Yaml,
            ProtobufBody.MediaType => BodyEncoding.Protobuf,
            _ => throw ApiErrors.UnsupportedPatch("application/json", "application/yaml", ProtobufBody.MediaType),
        };

    public static string MediaType(HttpRequest request) => (request.ContentType ?? "").Split(';', 2)[0].Trim().ToLowerInvariant();

    /// <exception cref="FormatException">The body is not a single document in that encoding.</exception>
    public static JsonNode? Parse(ReadOnlyMemory<byte> body, BodyEncoding encoding, JsonFindings? findings) =>
        encoding switch
        {
            BodyEncoding.Yaml => YamlReading.ParseAll(Encoding.UTF8.GetString(body.Span)).FirstOrDefault()
                ?? throw new FormatException("error converting YAML to JSON: the document is empty"),
            BodyEncoding.Protobuf => ProtobufBody.Parse(body.Span),
            _ => JsonReading.Parse(body.Span, findings),
        };
}
