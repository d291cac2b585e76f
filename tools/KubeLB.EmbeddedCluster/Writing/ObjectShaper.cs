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
internal static class ObjectShaper
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
        var complaints = (duplicates ?? [])
            .Select(path => $"duplicate field \"{path}\"")
            .Concat(unknown.Select(path => $"unknown field \"{path}\""))
            .ToList();
        if (complaints.Count == 0 || options.FieldValidation == FieldValidation.Ignore)
        {
            return;
        }
        if (options.FieldValidation == FieldValidation.Strict)
        {
            throw NotHandled(resource, $"strict decoding error: {string.Join(", ", complaints)}");
        }
        options.Warnings.AddRange(complaints);
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
