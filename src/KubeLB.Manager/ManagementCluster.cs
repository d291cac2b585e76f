namespace KubeLB.Manager;

/// <summary>The cluster of the manager.</summary>
public static class ManagementCluster
{
    /// <summary>Its name in logs, metrics and probes.</summary>
    public const string Name = "management";
}
