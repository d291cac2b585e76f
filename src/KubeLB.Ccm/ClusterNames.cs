namespace KubeLB.Ccm;

/// <summary>The two clusters that a CCM works on.</summary>
public static class ClusterNames
{
    /// <summary>The tenant's own cluster, where the CCM runs.</summary>
    public const string Tenant = "tenant";

    /// <summary>The management cluster, where the CCM may write to the tenant's namespace only.</summary>
    public const string Management = "management";
}
