using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Core;

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
