using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Resources.Core;

/// <summary>Kinds with an empty initial status, such as Jobs and Ingresses.</summary>
internal sealed class EmptyStatusStrategy : ResourceStrategy
{
    public override void PrepareForCreate(JsonObject tree) => tree["status"] = new JsonObject();
}
