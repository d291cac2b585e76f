using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Patching;

/// <summary>RFC 7386.</summary>
internal static class MergePatch
{
    public static JsonObject Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject child)
            {
                var into = target[name] as JsonObject ?? [];
                Apply(into, child);
                if (into.Parent is null)
                {
                    target[name] = into;
                }
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
        return target;
    }
}
