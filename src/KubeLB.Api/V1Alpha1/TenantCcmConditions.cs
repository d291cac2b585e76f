namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// Conditions of a Tenant that speak of its CCM; they are there only while something is wrong. An addition of this project.
/// </summary>
public static class TenantCcmConditions
{
    /// <summary>Type: False while a CCM of another cluster is rejected. Also the reason of the Event that it is over.</summary>
    public const string ClusterAccepted = "ClusterAccepted";

    /// <summary>Reason of False; the message names both clusters.</summary>
    public const string ClusterMismatch = "ClusterMismatch";

    /// <summary>Type: False while the CCM has not reported for an hour. Also the reason of the Event that it reports again.</summary>
    public const string CcmConnected = "CcmConnected";

    /// <summary>Reason of False; the message says since when.</summary>
    public const string CcmNotSeen = "CcmNotSeen";
}
