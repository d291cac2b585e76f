using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Resources.Core;

/// <summary>Jobs, Ingresses and the like: a status that begins empty.</summary>
internal sealed class EmptyStatusStrategy : ResourceStrategy
{
    public override void PrepareForCreate(JsonObject tree) => tree["status"] = new JsonObject();
}
