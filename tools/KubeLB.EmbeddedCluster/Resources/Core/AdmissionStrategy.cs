using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Core;

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
