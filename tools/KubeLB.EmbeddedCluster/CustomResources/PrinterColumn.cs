namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>A column of <c>kubectl get</c> for a custom resource.</summary>
internal sealed record PrinterColumn(string Name, string Type, string Format, string Description, int Priority, string JsonPath);
