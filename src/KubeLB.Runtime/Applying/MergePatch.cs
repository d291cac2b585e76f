using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Applying;

/// <summary>JSON merge patches (RFC 7386): objects are merged, null removes a field, any other value replaces it.</summary>
internal static class MergePatch
{
    /// <summary>The result of patching <paramref name="target"/>. Neither argument is changed.</summary>
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
        {
            return patch?.DeepClone();
        }

        var result = target is JsonObject existing ? (JsonObject)existing.DeepClone() : [];
        foreach (var (name, change) in changes)
        {
            if (change is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = Apply(result[name], change);
            }
        }

        return result;
    }

    /// <summary>
    /// The smallest patch that changes <paramref name="from"/> into <paramref name="to"/>; null if they are equal. Nulls in objects are
    /// treated as absent: a merge patch cannot write them.
    /// </summary>
    public static JsonObject? Diff(JsonObject from, JsonObject to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        var patch = new JsonObject();
        foreach (var (name, before) in from)
        {
            if (before is not null && to[name] is null)
            {
                patch[name] = null;
            }
        }

        foreach (var (name, after) in to)
        {
            if (after is null)
            {
                continue;
            }

            var before = from[name];
            if (before is JsonObject fromChild && after is JsonObject toChild)
            {
                if (Diff(fromChild, toChild) is { } change)
                {
                    patch[name] = change;
                }
            }
            else if (!JsonNode.DeepEquals(before, after))
            {
                patch[name] = after.DeepClone();
            }
        }

        return patch.Count == 0 ? null : patch;
    }
}
