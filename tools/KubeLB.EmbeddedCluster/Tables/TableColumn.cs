namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>A column of a <c>Table</c>, as <c>kubectl get</c> shows it.</summary>
internal sealed record TableColumn(string Name, string Type = "string", string Format = "", string Description = "", int Priority = 0);
