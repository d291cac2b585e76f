using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources.Core;

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
