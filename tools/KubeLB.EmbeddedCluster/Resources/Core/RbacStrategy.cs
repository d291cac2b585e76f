using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources.Core;

/// <summary>Roles and bindings: names are path segments; roleRef is immutable.</summary>
internal sealed class RbacStrategy : ResourceStrategy
{
    public override IReadOnlyList<string> ValidateName(string name) => Names.PathSegment(name);

    public override void Default(JsonObject tree)
    {
        tree.Object("roleRef")?.Default("apiGroup", "rbac.authorization.k8s.io");
        foreach (var subject in tree.Array("subjects").Objects().Where(subject => subject.Text("kind") is "User" or "Group"))
        {
            subject.Default("apiGroup", "rbac.authorization.k8s.io");
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        var index = 0;
        foreach (var rule in tree.Array("rules").Objects())
        {
            if (rule.Array("verbs") is null or { Count: 0 })
            {
                errors.Add(FieldError.Required($"rules[{index}].verbs", "verbs must contain at least one value"));
            }
            if (rule.Array("nonResourceURLs") is null or { Count: 0 })
            {
                if (rule.Array("apiGroups") is null or { Count: 0 })
                {
                    errors.Add(FieldError.Required($"rules[{index}].apiGroups", "resource rules must supply at least one api group"));
                }
                if (rule.Array("resources") is null or { Count: 0 })
                {
                    errors.Add(FieldError.Required($"rules[{index}].resources", "resource rules must supply at least one resource"));
                }
            }
            index++;
        }
        if (tree.Object("roleRef") is { } reference)
        {
            if (reference.Text("kind") is not ("Role" or "ClusterRole"))
            {
                errors.Add(FieldError.NotSupported("roleRef.kind", reference.Text("kind") ?? "", "ClusterRole", "Role"));
            }
            if (string.IsNullOrEmpty(reference.Text("name")))
            {
                errors.Add(FieldError.Required("roleRef.name"));
            }
        }
    }

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        if (!JsonAccess.Same(tree["roleRef"], old["roleRef"]))
        {
            errors.Add(FieldError.Invalid("roleRef", tree["roleRef"], "cannot change roleRef"));
        }
    }
}
