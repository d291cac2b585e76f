using k8s.Models;

namespace KubeLB.Translation;

/// <summary>The part of an object's metadata that travels with it.</summary>
public static class SourceMetadata
{
    /// <summary>The annotations less kubectl's own and the applier's record; null if none is left.</summary>
    public static Dictionary<string, string>? Annotations(V1ObjectMeta metadata)
    {
        var kept = (metadata.Annotations ?? new Dictionary<string, string>())
            .Where(a => a.Key is not (Api.Annotations.KubectlLastApplied or Api.Annotations.Applied))
            .ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);
        return kept.Count > 0 ? kept : null;
    }
}
