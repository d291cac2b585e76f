using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Validates the most used fields of pods and pod templates: names, images, ports, volumes.</summary>
internal static class PodValidation
{
    public static void Validate(JsonObject? spec, string path, List<FieldError> errors)
    {
        var containers = spec.Array("containers").Objects().ToList();
        if (containers.Count == 0)
        {
            errors.Add(FieldError.Required($"{path}.containers"));
        }
        var volumes = spec.Array("volumes").Objects().Select(volume => volume.Text("name") ?? "").ToHashSet(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < containers.Count; i++)
        {
            Container(containers[i], $"{path}.containers[{i}]", names, volumes, errors);
        }
        var initial = spec.Array("initContainers").Objects().ToList();
        for (var i = 0; i < initial.Count; i++)
        {
            Container(initial[i], $"{path}.initContainers[{i}]", names, volumes, errors);
        }
    }

    /// <summary>Validates a workload's selector against the labels of its template.</summary>
    public static void Template(JsonObject? spec, List<FieldError> errors)
    {
        var selector = spec.Object("selector");
        var labels = spec.Object("template").Object("metadata").Object("labels");
        if (selector is null)
        {
            errors.Add(FieldError.Required("spec.selector"));
        }
        else if (selector.Object("matchLabels") is null or { Count: 0 } && selector.Array("matchExpressions") is null or { Count: 0 })
        {
            errors.Add(FieldError.Invalid("spec.selector", selector, "empty selector is invalid for deployment"));
        }
        if (selector is not null && !Matches(selector, labels))
        {
            errors.Add(
                FieldError.Invalid(
                    "spec.template.metadata.labels",
                    labels?.DeepClone() ?? new JsonObject(),
                    "`selector` does not match template `labels`"
                )
            );
        }
        MetadataValidation.Labels(labels, "spec.template.labels", errors);
        if (spec.Integer("replicas") is < 0 and var replicas)
        {
            errors.Add(FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0"));
        }
        Validate(spec.Object("template").Object("spec"), "spec.template.spec", errors);
    }

    private static bool Matches(JsonObject selector, JsonObject? labels)
    {
        var all = (selector.Object("matchLabels") ?? []).All(desired => labels.Text(desired.Key) == desired.Value.AsText());
        return all
            && selector
                .Array("matchExpressions")
                .Objects()
                .All(requirement =>
                {
                    var value = labels.Text(requirement.Text("key") ?? "");
                    var values = requirement.Array("values").Strings().ToList();
                    return requirement.Text("operator") switch
                    {
                        "In" => value is not null && values.Contains(value),
                        "NotIn" => value is null || !values.Contains(value),
                        "Exists" => value is not null,
                        "DoesNotExist" => value is null,
                        _ => false,
                    };
                });
    }

    private static void Container(
        JsonObject container,
        string path,
        HashSet<string> names,
        HashSet<string> volumes,
        List<FieldError> errors
    )
    {
        var name = container.Text("name") ?? "";
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required($"{path}.name"));
        }
        else
        {
            errors.AddRange(Names.Label1123(name).Select(problem => FieldError.Invalid($"{path}.name", name, problem)));
            if (!names.Add(name))
            {
                errors.Add(FieldError.Duplicate($"{path}.name", name));
            }
        }
        if (string.IsNullOrEmpty(container.Text("image")))
        {
            errors.Add(FieldError.Required($"{path}.image"));
        }
        var ports = container.Array("ports").Objects().ToList();
        for (var i = 0; i < ports.Count; i++)
        {
            var number = ports[i].Integer("containerPort") ?? 0;
            if (number == 0)
            {
                errors.Add(FieldError.Required($"{path}.ports[{i}].containerPort"));
            }
            else if (number is < 1 or > 65535)
            {
                errors.Add(FieldError.Invalid($"{path}.ports[{i}].containerPort", number, "must be between 1 and 65535, inclusive"));
            }
        }
        var mounts = container.Array("volumeMounts").Objects().ToList();
        for (var i = 0; i < mounts.Count; i++)
        {
            var volume = mounts[i].Text("name") ?? "";
            if (!volumes.Contains(volume))
            {
                errors.Add(FieldError.NotFound($"{path}.volumeMounts[{i}].name", volume));
            }
        }
    }
}
