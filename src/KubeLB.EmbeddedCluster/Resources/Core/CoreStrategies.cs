using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources.Core;

/// <summary>Namespaces carry a finalizer of their own and a label with their name.</summary>
internal sealed class NamespaceStrategy : ResourceStrategy
{
    public override IReadOnlyList<string> ValidateName(string name) => Names.Label1123(name);

    public override void PrepareForCreate(JsonObject tree)
    {
        tree["spec"] = new JsonObject { ["finalizers"] = new JsonArray("kubernetes") };
        tree["status"] = new JsonObject { ["phase"] = "Active" };
    }

    public override void PrepareForUpdate(JsonObject tree, JsonObject old) => tree.TakeFrom(old, "spec");

    public override void Default(JsonObject tree)
    {
        var metadata = tree.Ensure("metadata");
        if (metadata.Text("name") is { Length: > 0 } name)
        {
            metadata.Ensure("labels")["kubernetes.io/metadata.name"] = name;
        }
    }
}

/// <summary>Secrets: stringData becomes data, the type is Opaque unless said otherwise and never changes.</summary>
internal sealed class SecretStrategy : ResourceStrategy
{
    private const string AccountAnnotation = "kubernetes.io/service-account.name";

    public override void Default(JsonObject tree)
    {
        tree.Default("type", "Opaque");
        if (tree.Object("stringData") is { } plain)
        {
            var data = tree.Ensure("data");
            foreach (var (key, value) in plain)
            {
                data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value.AsText() ?? ""));
            }
            tree.Remove("stringData");
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        ConfigMapStrategy.ValidateKeys(tree.Object("data"), "data", errors);
        var data = tree.Object("data");
        switch (tree.Text("type"))
        {
            case "kubernetes.io/service-account-token" when string.IsNullOrEmpty(tree.Object("metadata").Object("annotations").Text(AccountAnnotation)):
                errors.Add(FieldError.Required($"metadata.annotations[{AccountAnnotation}]"));
                break;
            case "kubernetes.io/tls":
                Require(data, "tls.crt", errors);
                Require(data, "tls.key", errors);
                break;
            case "kubernetes.io/dockerconfigjson":
                Require(data, ".dockerconfigjson", errors);
                break;
        }
    }

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        if (tree.Text("type") != old.Text("type"))
        {
            errors.Add(FieldError.Invalid("type", tree.Text("type") ?? "", "field is immutable"));
        }
        ConfigMapStrategy.ValidateImmutable(tree, old, errors);
    }

    private static void Require(JsonObject? data, string key, List<FieldError> errors)
    {
        if (data is null || !data.ContainsKey(key))
        {
            errors.Add(FieldError.Required($"data[{key}]"));
        }
    }
}

/// <summary>ConfigMaps: keys are file names; immutable ones do not change.</summary>
internal sealed class ConfigMapStrategy : ResourceStrategy
{
    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        ValidateKeys(tree.Object("data"), "data", errors);
        ValidateKeys(tree.Object("binaryData"), "binaryData", errors);
    }

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors) => ValidateImmutable(tree, old, errors);

    internal static void ValidateImmutable(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        if (old.Boolean("immutable") != true)
        {
            return;
        }
        if (tree.Boolean("immutable") != true)
        {
            errors.Add(FieldError.Forbidden("immutable", "field is immutable when `immutable` is set"));
        }
        foreach (var name in new[] { "data", "binaryData" })
        {
            if (!JsonAccess.Same(tree[name], old[name]))
            {
                errors.Add(FieldError.Forbidden(name, "field is immutable when `immutable` is set"));
            }
        }
    }

    internal static void ValidateKeys(JsonObject? data, string path, List<FieldError> errors)
    {
        foreach (var (key, _) in data ?? [])
        {
            if (key.Length is 0 or > 253 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') || key is "." or "..")
            {
                errors.Add(FieldError.Invalid($"{path}[{key}]", key,
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"));
            }
        }
    }
}

/// <summary>Nodes keep the status they register with.</summary>
internal sealed class NodeStrategy : ResourceStrategy
{
}

/// <summary>EndpointSlices and Endpoints: ports are TCP unless said otherwise; the address type never changes.</summary>
internal sealed class EndpointsStrategy : ResourceStrategy
{
    public override void Default(JsonObject tree)
    {
        var ports = tree.Array("ports").Objects().Concat(tree.Array("subsets").Objects().SelectMany(subset => subset.Array("ports").Objects()));
        foreach (var port in ports)
        {
            port.Default("protocol", "TCP");
            if (tree.ContainsKey("addressType"))
            {
                port.Default("name", "");
            }
        }
    }

    public override void Validate(JsonObject tree, List<FieldError> errors)
    {
        if (tree["subsets"] is null && tree.ContainsKey("endpoints") && string.IsNullOrEmpty(tree.Text("addressType")))
        {
            errors.Add(FieldError.Required("addressType"));
        }
        var index = 0;
        foreach (var endpoint in tree.Array("endpoints").Objects())
        {
            if (endpoint.Array("addresses") is null or { Count: 0 })
            {
                errors.Add(FieldError.Required($"endpoints[{index}].addresses", "must contain at least 1 address"));
            }
            index++;
        }
    }

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        if (tree.Text("addressType") != old.Text("addressType"))
        {
            errors.Add(FieldError.Invalid("addressType", tree.Text("addressType") ?? "", "field is immutable"));
        }
    }
}

/// <summary>Roles, bindings: any name that can be in a path; a binding's role is for ever.</summary>
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

/// <summary>Disruption budgets have counters for a status.</summary>
internal sealed class PodDisruptionBudgetStrategy : ResourceStrategy
{
    public override void PrepareForCreate(JsonObject tree) => tree["status"] = new JsonObject
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

/// <summary>Jobs, Ingresses and the like: a status that begins empty.</summary>
internal sealed class EmptyStatusStrategy : ResourceStrategy
{
    public override void PrepareForCreate(JsonObject tree) => tree["status"] = new JsonObject();
}
