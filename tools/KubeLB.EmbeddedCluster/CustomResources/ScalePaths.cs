namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Where the scale subresource reads and writes.</summary>
internal sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? LabelSelector);
