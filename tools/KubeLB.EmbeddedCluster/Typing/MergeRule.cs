namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>How a strategic merge patch merges a member of a built-in type.</summary>
/// <param name="Key">The merge key of a list of objects; empty for lists of scalars that are merged as sets.</param>
/// <param name="RetainKeys">Whether <c>$retainKeys</c> is supported.</param>
internal sealed record MergeRule(string Key, bool RetainKeys = false);
