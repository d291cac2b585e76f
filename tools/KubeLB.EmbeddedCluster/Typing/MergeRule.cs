namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>How a member of a built-in type takes part in a strategic merge patch.</summary>
/// <param name="Key">Lists of objects are merged by this member; empty for lists of plain values that are merged as sets.</param>
/// <param name="RetainKeys">A patch may say which members survive (<c>$retainKeys</c>).</param>
internal sealed record MergeRule(string Key, bool RetainKeys = false);
