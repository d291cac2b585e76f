using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

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
        ObjectShaper.Shape(request.Resource, tree, options, findings.Duplicates);
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
