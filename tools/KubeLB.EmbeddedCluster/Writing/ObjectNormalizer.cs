using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Typing;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>
/// Normalizes the object of a request to its type: unknown members are ignored, reported or rejected; wrong types are errors.
/// </summary>
internal static class ObjectNormalizer
{
    private static readonly TypeSchema Metadata = TypeSchema.Of(typeof(V1ObjectMeta));

    /// <param name="resource">The resource.</param>
    /// <param name="tree">The object; modified in place.</param>
    /// <param name="options">The field validation; receives warnings.</param>
    /// <param name="duplicates">Paths of duplicate members.</param>
    /// <exception cref="ApiException">400 for a wrong type, or in strict mode for an unknown or duplicate member.</exception>
    public static void Shape(ResourceDefinition resource, JsonObject tree, WriteOptions options, IReadOnlyList<string>? duplicates = null)
    {
        var unknown = new List<string>();
        try
        {
            if (resource.Type is { } type)
            {
                var decoder = new TypedDecoder();
                decoder.Decode(tree, type);
                unknown.AddRange(decoder.Unknown);
            }
            else
            {
                ShapeCustom(resource, tree, unknown);
            }
        }
        catch (FormatException exception)
        {
            throw NotHandled(resource, exception.Message);
        }
        tree.Ensure("metadata").Remove("selfLink");
        var problems = (duplicates ?? [])
            .Select(path => $"duplicate field \"{path}\"")
            .Concat(unknown.Select(path => $"unknown field \"{path}\""))
            .ToList();
        if (problems.Count == 0 || options.FieldValidation == FieldValidation.Ignore)
        {
            return;
        }
        if (options.FieldValidation == FieldValidation.Strict)
        {
            throw NotHandled(resource, $"strict decoding error: {string.Join(", ", problems)}");
        }
        options.Warnings.AddRange(problems);
    }

    /// <summary>The error for a body that cannot be decoded as the resource's kind.</summary>
    public static ApiException NotHandled(ResourceDefinition resource, string why) =>
        ApiErrors.BadRequest($"{resource.Kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}: {why}");

    private static void ShapeCustom(ResourceDefinition resource, JsonObject tree, List<string> unknown)
    {
        if (tree["metadata"] is JsonObject metadata)
        {
            var decoder = new TypedDecoder();
            decoder.Decode(metadata, Metadata);
            unknown.AddRange(decoder.Unknown.Select(path => $"metadata.{path}"));
        }
        else
        {
            tree["metadata"] = new JsonObject();
        }
        if (resource.Custom?.Schema is { PreserveUnknown: false } schema)
        {
            SchemaPruning.Apply(tree, schema, isResource: true, "", unknown);
        }
        else if (resource.Custom?.Schema is { } open)
        {
            SchemaPruning.Apply(tree, open, isResource: true, "", []);
        }
    }
}

/// <summary>Options of one write, and its warnings.</summary>
internal sealed class WriteOptions
{
    public bool DryRun { get; init; }

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Ignore;

    /// <summary>The field manager, for <c>metadata.managedFields</c>.</summary>
    public string Manager { get; init; } = "kube-controller-manager";

    /// <summary>The subresource of the write, for <c>metadata.managedFields</c>; empty for the object itself.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Whether the object is the result of a server-side apply, with updated managed fields.</summary>
    public bool IsApply { get; init; }

    /// <summary>Warnings for the <c>Warning</c> response headers.</summary>
    public List<string> Warnings { get; } = [];
}

/// <summary>How unknown members are handled.</summary>
internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>Timestamps in metadata: UTC, whole seconds.</summary>
internal static class Timestamps
{
    public static string Now(TimeProvider time) => Format(time.GetUtcNow());

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
