namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>A subresource, e.g. <c>status</c> or <c>scale</c>.</summary>
internal sealed record SubresourceDefinition(string Name, string Kind, string[] Verbs, string Group = "", string Version = "");
