using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Core;

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
