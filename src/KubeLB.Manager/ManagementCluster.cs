namespace KubeLB.Manager;

/// <summary>The one cluster that a manager works on.</summary>
public static class ManagementCluster
{
    /// <summary>Its name in logs, metrics and probes.</summary>
    public const string Name = "management";
}
