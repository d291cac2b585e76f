namespace KubeLB.Ccm;

/// <summary>The two clusters of a CCM, as named in logs, metrics and probes.</summary>
public static class ClusterNames
{
    /// <summary>The tenant's own cluster, where the CCM runs.</summary>
    public const string Tenant = "tenant";

    /// <summary>The management cluster; the CCM writes to the tenant's namespace only.</summary>
    public const string Management = "management";
}
