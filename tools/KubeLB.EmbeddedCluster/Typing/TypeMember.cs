namespace KubeLB.EmbeddedCluster.Typing;

/// <summary>A member of a built-in type.</summary>
internal sealed record TypeMember(string Name, TypeSchema Type, MergeRule? Merge, bool Required);
