using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>ConfigMaps: key validation and immutability.</summary>
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
                errors.Add(
                    FieldError.Invalid(
                        $"{path}[{key}]",
                        key,
                        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                            + "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                    )
                );
            }
        }
    }
}

/// <summary>Secrets: stringData is merged into data; the default type is Opaque; the type is immutable.</summary>
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
            case "kubernetes.io/service-account-token"
                when string.IsNullOrEmpty(tree.Object("metadata").Object("annotations").Text(AccountAnnotation)):
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

/// <summary>Namespaces: finalizer and name label.</summary>
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

/// <summary>EndpointSlices and Endpoints: the default protocol is TCP; the address type is immutable.</summary>
internal sealed class EndpointsStrategy : ResourceStrategy
{
    public override void Default(JsonObject tree)
    {
        var ports = tree.Array("ports")
            .Objects()
            .Concat(tree.Array("subsets").Objects().SelectMany(subset => subset.Array("ports").Objects()));
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
