using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;

namespace KubeLB.EmbeddedCluster.Validation;

/// <summary>Validates metadata of any object (apimachinery <c>api/validation/objectmeta</c>).</summary>
internal static class MetadataValidation
{
    private const int MaxAnnotationBytes = 256 * 1024;

    public static void Validate(JsonObject metadata, ResourceDefinition resource, List<FieldError> errors)
    {
        var name = metadata.Text("name") ?? "";
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
        }
        else
        {
            errors.AddRange(resource.Strategy.ValidateName(name).Select(problem => FieldError.Invalid("metadata.name", name, problem)));
        }
        Labels(metadata.Object("labels"), "metadata.labels", errors);
        Annotations(metadata.Object("annotations"), errors);
        Owners(metadata.Array("ownerReferences"), errors);
        var finalizers = metadata.Array("finalizers").Strings().ToList();
        foreach (var finalizer in finalizers)
        {
            errors.AddRange(
                Names.QualifiedName(finalizer).Select(problem => FieldError.Invalid("metadata.finalizers", finalizer, problem))
            );
        }
        if (finalizers.Contains("orphan") && finalizers.Contains("foregroundDeletion"))
        {
            errors.Add(
                FieldError.Invalid(
                    "metadata.finalizers",
                    metadata["finalizers"],
                    "finalizer orphan and foregroundDeletion cannot be both set"
                )
            );
        }
    }

    public static void Labels(JsonObject? labels, string path, List<FieldError> errors)
    {
        foreach (var (key, value) in labels ?? [])
        {
            errors.AddRange(Names.QualifiedName(key).Select(problem => FieldError.Invalid(path, key, problem)));
            var text = value.AsText() ?? "";
            errors.AddRange(Names.LabelValue(text).Select(problem => FieldError.Invalid(path, text, problem)));
        }
    }

    /// <summary>Validates that immutable metadata is unchanged; called with the object to be stored.</summary>
    public static void ValidateUpdate(JsonObject metadata, JsonObject old, List<FieldError> errors)
    {
        if (old["deletionTimestamp"] is null)
        {
            return;
        }
        var before = old.Array("finalizers").Strings().ToHashSet(StringComparer.Ordinal);
        var added = metadata
            .Array("finalizers")
            .Strings()
            .Where(finalizer => !before.Contains(finalizer))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (added.Count > 0)
        {
            var error = FieldError.Forbidden(
                "metadata.finalizers",
                $"no new finalizers can be added if the object is being deleted, "
                    + $"found new finalizers []string{{{string.Join(", ", added.Select(FieldError.Quote))}}}"
            );

            // Kubernetes validates metadata twice here and reports both errors.
            errors.Add(error);
            errors.Add(error);
        }
    }

    private static void Annotations(JsonObject? annotations, List<FieldError> errors)
    {
        long size = 0;
        foreach (var (key, value) in annotations ?? [])
        {
            errors.AddRange(
                Names.QualifiedName(key.ToLowerInvariant()).Select(problem => FieldError.Invalid("metadata.annotations", key, problem))
            );
            size += key.Length + (value.AsText()?.Length ?? 0);
        }
        if (size > MaxAnnotationBytes)
        {
            errors.Add(FieldError.TooLong("metadata.annotations", MaxAnnotationBytes));
        }
    }

    private static void Owners(JsonArray? owners, List<FieldError> errors)
    {
        var index = 0;
        string? controller = null;
        foreach (var owner in owners.Objects())
        {
            var path = $"metadata.ownerReferences[{index++}]";
            if (string.IsNullOrEmpty(owner.Text("apiVersion")))
            {
                errors.Add(FieldError.Invalid($"{path}.apiVersion", "", "version must not be empty"));
            }
            foreach (var member in new[] { "kind", "name", "uid" })
            {
                if (string.IsNullOrEmpty(owner.Text(member)))
                {
                    errors.Add(FieldError.Invalid($"{path}.{member}", "", "must not be empty"));
                }
            }
            if (owner.Boolean("controller") == true)
            {
                if (controller is not null)
                {
                    errors.Add(
                        FieldError.Invalid(
                            "metadata.ownerReferences",
                            owners,
                            $"Only one reference can have Controller set to true. Found \"true\" in "
                                + $"references for {controller} and {owner.Text("kind")}/{owner.Text("name")}"
                        )
                    );
                }
                controller = $"{owner.Text("kind")}/{owner.Text("name")}";
            }
        }
    }
}
