using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources;

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

/// <summary>
/// ValidatingAdmissionPolicies and their bindings: defaulted, and validated for required fields; expressions are not evaluated.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/</remarks>
internal sealed class AdmissionStrategy : ResourceStrategy
{
    private readonly bool _isPolicy;

    private AdmissionStrategy(bool isPolicy) => _isPolicy = isPolicy;

    public static AdmissionStrategy Policies { get; } = new(isPolicy: true);

    public static AdmissionStrategy Bindings { get; } = new(isPolicy: false);

    public override void PrepareForCreate(JsonObject tree)
    {
        if (_isPolicy)
        {
            tree["status"] = new JsonObject();
        }
    }

    public override void Default(JsonObject tree)
    {
        var spec = tree.Ensure("spec");
        if (_isPolicy)
        {
            spec.Default("failurePolicy", "Fail");
        }
        if (spec.Object(_isPolicy ? "matchConstraints" : "matchResources") is not { } match)
        {
            return;
        }
        match.Default("matchPolicy", "Equivalent");
        match.Default("namespaceSelector", new JsonObject());
        match.Default("objectSelector", new JsonObject());
        foreach (var rule in match.Array("resourceRules").Objects().Concat(match.Array("excludeResourceRules").Objects()))
        {
            rule.Default("scope", "*");
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree.Object("spec");
        if (!_isPolicy)
        {
            if (string.IsNullOrEmpty(spec.Text("policyName")))
            {
                errors.Add(FieldError.Required("spec.policyName"));
            }
            if (spec.Array("validationActions") is null or { Count: 0 })
            {
                errors.Add(FieldError.Required("spec.validationActions"));
            }
            return;
        }
        if (spec.Array("validations") is null or { Count: 0 } && spec.Array("auditAnnotations") is null or { Count: 0 })
        {
            errors.Add(FieldError.Required("spec.validations", "validations or auditAnnotations must be present"));
        }
        if (spec.Object("matchConstraints").Array("resourceRules") is null or { Count: 0 })
        {
            errors.Add(FieldError.Required("spec.matchConstraints"));
        }
    }
}

/// <summary>PodDisruptionBudgets: validation and initial status.</summary>
internal sealed class PodDisruptionBudgetStrategy : ResourceStrategy
{
    public override void PrepareForCreate(JsonObject tree) =>
        tree["status"] = new JsonObject
        {
            ["disruptionsAllowed"] = 0,
            ["currentHealthy"] = 0,
            ["desiredHealthy"] = 0,
            ["expectedPods"] = 0,
        };

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        if (tree.Object("spec") is { } spec && spec["minAvailable"] is not null && spec["maxUnavailable"] is not null)
        {
            errors.Add(FieldError.Invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
        }
    }
}
