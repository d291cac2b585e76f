using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Protobuf;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Writing;
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

/// <summary>The encodings of request bodies.</summary>
internal enum BodyEncoding
{
    Json,
    Yaml,
    Protobuf,
}

/// <summary>Reads the object of a create or update request.</summary>
internal static class BodyObject
{
    private const int MaxQuoted = 1024;

    /// <exception cref="ApiException">400 if it is not an object of the resource's kind; 413; 415.</exception>
    public static async Task<JsonObject> ReadAsync(ApiRequest request, ResourceRegistry registry, WriteOptions options)
    {
        var encoding = BodyReading.EncodingOf(request.Context.Request);
        var body = await BodyReading.ReadAsync(request.Context);
        var findings = new JsonFindings();
        JsonObject tree;
        try
        {
            tree =
                BodyReading.Parse(body, encoding, findings) as JsonObject
                ?? throw new FormatException(
                    "json: cannot unmarshal into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; "
                        + "Kind string \"json:\\\"kind,omitempty\\\"\" }"
                );
        }
        catch (FormatException exception)
        {
            if (encoding == BodyEncoding.Protobuf)
            {
                throw ApiErrors.BadRequest(exception.Message);
            }
            var text = Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, MaxQuoted)]);
            throw ApiErrors.BadRequest(
                request.Resource.Custom is null
                    ? $"the object provided is unrecognized (must be of type {request.Resource.Kind}): couldn't get version/kind; json "
                        + $"parse error: {exception.Message} ({text})"
                    : $"error decoding the object: {exception.Message}"
            );
        }
        CheckKind(request.Resource, tree, registry);
        ObjectNormalizer.Shape(request.Resource, tree, options, findings.Duplicates);
        return request.Resource.View is { } view ? view.ToStorage(tree) : tree;
    }

    private static void CheckKind(ResourceDefinition resource, JsonObject tree, ResourceRegistry registry)
    {
        var kind = tree.Text("kind") ?? "";
        var version = tree.Text("apiVersion") ?? "";
        if (resource.Custom is not null)
        {
            CheckCustomKind(resource, tree, kind, version);
            return;
        }
        if ((kind.Length == 0 || kind == resource.Kind) && (version.Length == 0 || version == resource.ApiVersion))
        {
            return;
        }
        var slash = version.IndexOf('/', StringComparison.Ordinal);
        var group = slash < 0 ? "" : version[..slash];
        if (registry.FindKind(group, version[(slash + 1)..], kind) is null)
        {
            throw ApiErrors.BadRequest(
                $"no kind \"{kind}\" is registered for version \"{version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
            );
        }
        var internalGroup = Internal(resource.Group);
        throw ApiErrors.BadRequest(
            kind == resource.Kind
                ? $"the API version in the data ({version}) does not match the expected API version ({resource.ApiVersion})"
                : $"{kind} in version \"{version}\" cannot be handled as a {resource.Kind}: converting (v1.{kind}) to "
                    + $"({internalGroup}.{resource.Kind}): unknown conversion"
        );
    }

    private static void CheckCustomKind(ResourceDefinition resource, JsonObject tree, string kind, string version)
    {
        if (kind.Length == 0)
        {
            throw ApiErrors.BadRequest($"Object 'Kind' is missing in '{Shorten(tree)}'");
        }
        if (version.Length == 0)
        {
            throw ApiErrors.BadRequest($"Object 'apiVersion' is missing in '{Shorten(tree)}'");
        }
        if (version != resource.ApiVersion)
        {
            throw ApiErrors.BadRequest(
                $"the API version in the data ({version}) does not match the expected API version ({resource.ApiVersion})"
            );
        }
        if (kind != resource.Kind)
        {
            throw ApiErrors.Invalid(
                resource.Group,
                kind,
                tree.Object("metadata").Text("name") ?? "",
                [FieldError.Invalid("kind", kind, $"must be {resource.Kind}")]
            );
        }
    }

    private static string Internal(string group) => group.Length == 0 ? "core" : group.Split('.')[0];

    private static string Shorten(JsonObject tree)
    {
        var text = tree.ToJsonString(FieldError.RelaxedJson);
        return text.Length <= MaxQuoted ? text : text[..MaxQuoted];
    }
}
