using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources.Core;

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
