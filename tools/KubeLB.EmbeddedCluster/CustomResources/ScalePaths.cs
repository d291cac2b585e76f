namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>The JSON paths of the scale subresource.</summary>
internal sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? LabelSelector);
