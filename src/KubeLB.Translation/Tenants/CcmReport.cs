using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// What the annotations of a tenant's Addresses report about its CCM, for the conditions of <see cref="TenantCcmConditions"/>.
/// </summary>
/// <param name="Mismatch">Message of <see cref="TenantCcmConditions.ClusterMismatch"/>; null if no other cluster is rejected.</param>
/// <param name="NotSeen">
/// Message of <see cref="TenantCcmConditions.CcmNotSeen"/>; null if the CCM reported within the last hour, or never reported.
/// </param>
/// <param name="IsRejectionOver">Whether the annotation with the rejected cluster is to be removed.</param>
/// <param name="RequeueAfter">Time until the report changes without a change of the annotations; null if it does not change.</param>
public sealed record CcmReport(string? Mismatch, string? NotSeen, bool IsRejectionOver, TimeSpan? RequeueAfter)
{
    /// <summary>How long a rejection is reported after the last attempt of the rejected CCM.</summary>
    public static readonly TimeSpan RejectionLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Time without a report after which a CCM is reported as not seen. It reports every five minutes.</summary>
    public static readonly TimeSpan NotSeenAfter = TimeSpan.FromHours(1);

    /// <summary>Maximum clock skew. A time further in the future is invalid.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(10);

    /// <summary>Nothing is reported.</summary>
    public static readonly CcmReport None = new(null, null, IsRejectionOver: false, null);

    /// <summary>
    /// Reads the report. Invalid values are ignored; a CCM that never reported (the Go CCM does not) is not reported as missing.
    /// </summary>
    /// <param name="addresses">The tenant's Addresses; null if there are none.</param>
    /// <param name="now">The current time.</param>
    public static CcmReport Read(Addresses? addresses, DateTimeOffset now)
    {
        if (addresses is null)
        {
            return None;
        }

        var (mismatch, isOver, mismatchEnds) = Rejection(addresses, now);
        var (notSeen, missingFrom) = Presence(addresses, now);
        return new CcmReport(mismatch, notSeen, isOver, mismatchEnds is null || missingFrom < mismatchEnds ? missingFrom : mismatchEnds);
    }

    private static (string? Message, bool IsOver, TimeSpan? Ends) Rejection(Addresses addresses, DateTimeOffset now)
    {
        if (addresses.Metadata.Annotations?.ContainsKey(Annotations.RejectedCluster) != true)
        {
            return default;
        }

        if (
            CcmAnnotations.RejectedClusterOf(addresses) is not { } rejected
            || rejected.Time > now + ClockSkew
            || now - rejected.Time >= RejectionLifetime
        )
        {
            return (null, IsOver: true, null);
        }

        var (other, left) = (rejected.Uid, RejectionLifetime - (now - rejected.Time));
        if (
            CcmAnnotations.ClusterUidOf(addresses) is null
            && !string.IsNullOrEmpty(CcmAnnotations.ValueOf(addresses, Annotations.ClusterUid))
        )
        {
            return (TenantMessages.InvalidClusterUid(other), false, left);
        }

        return CcmAnnotations.ClusterUidOf(addresses) is { } bound && bound != other
            ? (TenantMessages.ClusterMismatch(other, bound), false, left)
            : (null, true, null);
    }

    private static (string? Message, TimeSpan? From) Presence(Addresses addresses, DateTimeOffset now)
    {
        if (CcmAnnotations.LastSeenOf(addresses) is not { } seen || seen > now + ClockSkew)
        {
            return default;
        }

        var left = NotSeenAfter - (now - seen);
        if (left > TimeSpan.Zero)
        {
            return (null, left);
        }

        var ccm = CcmAnnotations.CcmVersionOf(addresses) is { } version ? $"CCM (version {version})" : "CCM";
        return (TenantMessages.CcmNotSeen(ccm, StatusTime.Of(seen)), null);
    }
}
