namespace KubeLB.TestClusters;

/// <summary>What differs between the API servers that tests run on.</summary>
[Flags]
public enum ClusterFeatures
{
    /// <summary>No optional feature.</summary>
    None = 0,

    /// <summary>Objects of deleted owners are collected, and deleted namespaces are emptied and go.</summary>
    Controllers = 1,
}
