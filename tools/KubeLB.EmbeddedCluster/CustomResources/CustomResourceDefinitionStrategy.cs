using System.Globalization;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>CustomResourceDefinitions: validated, defaulted, accepted and established immediately.</summary>
/// <param name="time">The clock for transition times.</param>
/// <param name="registry">The served resources.</param>
internal sealed class CustomResourceDefinitionStrategy(TimeProvider time, ResourceRegistry registry) : ResourceStrategy
{
    /// <summary>Blocks the deletion of a definition until its custom resources are deleted.</summary>
    public const string CleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

    public override void PrepareForCreate(JsonObject tree)
    {
        tree.Remove("status");
        var finalizers = tree.Ensure("metadata").Array("finalizers");
        if (finalizers is null)
        {
            tree.Ensure("metadata")["finalizers"] = new JsonArray(CleanupFinalizer);
        }
        else if (!finalizers.Strings().Contains(CleanupFinalizer))
        {
            finalizers.Add(CleanupFinalizer);
        }
    }

    public override void Default(JsonObject tree)
    {
        var spec = tree.Ensure("spec");
        spec.Default("scope", "Namespaced");
        spec.Default("conversion", new JsonObject { ["strategy"] = "None" });
        var names = spec.Ensure("names");
        var kind = names.Text("kind") ?? "";
        names.Default("singular", kind.ToLowerInvariant());
        names.Default("listKind", kind + "List");
        Establish(tree, spec, names);
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree.Object("spec")!;
        var group = spec.Text("group") ?? "";
        var names = spec.Object("names");
        var plural = names.Text("plural") ?? "";
        var name = tree.Object("metadata").Text("name") ?? "";
        if (name != $"{plural}.{group}")
        {
            errors.Add(FieldError.Invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
        }
        if (group.Length == 0)
        {
            errors.Add(FieldError.Required("spec.group"));
        }
        else if (!group.Contains('.', StringComparison.Ordinal))
        {
            errors.Add(FieldError.Invalid("spec.group", group, "should be a domain with at least one dot"));
        }
        if (IsProtected(group) && string.IsNullOrEmpty(tree.Object("metadata").Object("annotations").Text("api-approved.kubernetes.io")))
        {
            errors.Add(
                FieldError.Required(
                    "metadata.annotations[api-approved.kubernetes.io]",
                    "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
                        + "https://github.com/kubernetes/enhancements/pull/1111"
                )
            );
        }
        if (spec.Text("scope") is not ("Namespaced" or "Cluster"))
        {
            errors.Add(FieldError.NotSupported("spec.scope", spec.Text("scope") ?? "", "Cluster", "Namespaced"));
        }
        if (spec.Object("conversion").Text("strategy") is not ("None" or "Webhook"))
        {
            errors.Add(
                FieldError.NotSupported("spec.conversion.strategy", spec.Object("conversion").Text("strategy") ?? "", "None", "Webhook")
            );
        }
        foreach (var member in new[] { "plural", "singular", "kind", "listKind" })
        {
            var value = names.Text(member) ?? "";
            if (value.Length == 0)
            {
                errors.Add(FieldError.Required($"spec.names.{member}"));
            }
            else
            {
                errors.AddRange(
                    Names.Label1035(value.ToLowerInvariant()).Select(problem => FieldError.Invalid($"spec.names.{member}", value, problem))
                );
            }
        }
        ValidateVersions(spec, errors);
    }

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        var before = old.Object("spec");
        var spec = tree.Object("spec");
        foreach (var member in new[] { "group", "scope" })
        {
            if (spec.Text(member) != before.Text(member))
            {
                errors.Add(FieldError.Invalid($"spec.{member}", spec.Text(member) ?? "", "field is immutable"));
            }
        }
        foreach (var member in new[] { "plural", "kind" })
        {
            if (spec.Object("names").Text(member) != before.Object("names").Text(member))
            {
                errors.Add(FieldError.Invalid($"spec.names.{member}", spec.Object("names").Text(member) ?? "", "field is immutable"));
            }
        }
    }

    public override void Committed(JsonObject tree)
    {
        if (IsEstablished(tree))
        {
            registry.AddCustom(tree);
        }
    }

    public override void Removed(JsonObject tree) => registry.RemoveCustom(tree.Object("metadata").Text("name")!);

    private static void ValidateVersions(JsonObject spec, List<FieldError> errors)
    {
        var versions = spec.Array("versions").Objects().ToList();
        if (versions.Count(version => version.Boolean("storage") == true) != 1)
        {
            errors.Add(
                FieldError.Invalid(
                    "spec.versions",
                    spec["versions"]?.DeepClone(),
                    "must have exactly one version marked as storage version"
                )
            );
        }
        for (var i = 0; i < versions.Count; i++)
        {
            var path = $"spec.versions[{i}]";
            var name = versions[i].Text("name") ?? "";
            errors.AddRange(Names.Label1035(name).Select(problem => FieldError.Invalid($"{path}.name", name, problem)));
            if (versions[i].Object("schema").Object("openAPIV3Schema") is not { } schema)
            {
                errors.Add(FieldError.Required($"{path}.schema.openAPIV3Schema", "schemas are required"));
                continue;
            }
            StructuralSchema.Validate(schema, $"{path}.schema.openAPIV3Schema", errors);
            SchemaRules.Compile(new SchemaNode(schema), $"{path}.schema.openAPIV3Schema", errors);
        }
    }

    private static bool IsProtected(string group) =>
        group is "k8s.io" or "kubernetes.io"
        || group.EndsWith(".k8s.io", StringComparison.Ordinal)
        || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);

    private void Establish(JsonObject tree, JsonObject spec, JsonObject names)
    {
        var status = tree.Ensure("status");
        var other = registry.Conflict(tree);
        var accepted = names.Copy();
        if (other is null)
        {
            status["acceptedNames"] = accepted;
        }
        else
        {
            status.Default("acceptedNames", new JsonObject { ["plural"] = "", ["kind"] = "" });
        }
        var stored = status.Array("storedVersions") ?? [];
        if (stored.Parent is null)
        {
            status["storedVersions"] = stored;
        }
        foreach (
            var version in spec.Array("versions")
                .Objects()
                .Where(version => version.Boolean("storage") == true)
                .Select(version => version.Text("name") ?? "")
        )
        {
            if (!stored.Strings().Contains(version))
            {
                stored.Add(version);
            }
        }
        var established = other is null || IsEstablished(tree);
        SetCondition(
            status,
            "NamesAccepted",
            other is null,
            other is null ? "NoConflicts" : "NameConflict",
            other is null ? "no conflicts found" : $"\"{other}\" is already in use"
        );
        SetCondition(
            status,
            "Established",
            established,
            established ? "InitialNamesAccepted" : "NotAccepted",
            established ? "the initial names have been accepted" : "not all names are accepted"
        );
    }

    /// <summary>Whether objects of the definition are served.</summary>
    public static bool IsEstablished(JsonObject tree) =>
        tree.Object("status")
            .Array("conditions")
            .Objects()
            .Any(condition => condition.Text("type") == "Established" && condition.Text("status") == "True");

    private void SetCondition(JsonObject status, string type, bool value, string reason, string message)
    {
        var conditions = status.Array("conditions");
        if (conditions is null)
        {
            status["conditions"] = conditions = [];
        }
        var condition = conditions.Objects().FirstOrDefault(item => item.Text("type") == type);
        if (condition is null)
        {
            condition = new JsonObject { ["type"] = type };
            conditions.Add(condition);
        }
        var text = value ? "True" : "False";
        if (condition.Text("status") != text)
        {
            condition["status"] = text;
            condition["lastTransitionTime"] = time.GetUtcNow()
                .UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
        condition["reason"] = reason;
        condition["message"] = message;
    }
}
