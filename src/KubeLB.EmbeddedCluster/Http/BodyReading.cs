using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>Reads request bodies: bounded, JSON or YAML.</summary>
internal static class BodyReading
{
    /// <summary>The most that is read of a body, in bytes; Kubernetes' own limit.</summary>
    public const int MaxBytes = 3 * 1024 * 1024;

    /// <exception cref="ApiException">413 when the body is larger than <see cref="MaxBytes"/>.</exception>
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

    /// <summary>Whether the content type is YAML; JSON is also assumed when nothing is said.</summary>
    /// <exception cref="ApiException">415 for anything else.</exception>
    public static bool IsYaml(HttpRequest request, params ReadOnlySpan<string> alsoJson)
    {
        var type = MediaType(request);
        if (type is "" or "application/json" || alsoJson.Contains(type))
        {
            return false;
        }
        if (type is "application/yaml" or "application/x-yaml" or "text/yaml")
        {
            return true;
        }
        throw new ApiException(new ApiStatus(415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml", null));
    }

    public static string MediaType(HttpRequest request) =>
        (request.ContentType ?? "").Split(';', 2)[0].Trim().ToLowerInvariant();

    /// <exception cref="FormatException">The body is not one document of that kind.</exception>
    public static JsonNode? Parse(ReadOnlyMemory<byte> body, bool yaml, JsonFindings? findings)
    {
        if (!yaml)
        {
            return JsonReading.Parse(body.Span, findings);
        }
        return YamlReading.ParseAll(Encoding.UTF8.GetString(body.Span)).FirstOrDefault()
            ?? throw new FormatException("error converting YAML to JSON: the document is empty");
    }
}
