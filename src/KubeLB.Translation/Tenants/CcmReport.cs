using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Tenants;

/// <summary>What the annotations of a tenant's Addresses say of its CCM, for the conditions of <see cref="TenantCcmConditions"/>.</summary>
/// <param name="Mismatch">Message of <see cref="TenantCcmConditions.ClusterMismatch"/>; null if no other cluster is rejected.</param>
/// <param name="NotSeen">Message of <see cref="TenantCcmConditions.CcmNotSeen"/>; null if the CCM has reported, or never did.</param>
/// <param name="IsRejectionOver">Whether the annotation with the rejected cluster is to be removed.</param>
/// <param name="RequeueAfter">When the answer changes if the annotations do not; null if it does not.</param>
public sealed record CcmReport(string? Mismatch, string? NotSeen, bool IsRejectionOver, TimeSpan? RequeueAfter)
{
    /// <summary>How long a rejection is reported after the rejected CCM last tried.</summary>
    public static readonly TimeSpan RejectionStays = TimeSpan.FromMinutes(10);

    /// <summary>After how long without a report a CCM counts as not seen. It reports every five minutes.</summary>
    public static readonly TimeSpan NotSeenAfter = TimeSpan.FromHours(1);

    /// <summary>How far ahead another machine's clock may be. A time further ahead says nothing.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(10);

    /// <summary>Nothing is reported.</summary>
    public static readonly CcmReport None = new(null, null, IsRejectionOver: false, null);

    /// <summary>
    /// Reads the report. A value that is not valid counts as absent; without a report of a CCM (the Go CCM writes none) nothing is missing.
    /// </summary>
    /// <param name="addresses">The tenant's Addresses; null if there are none.</param>
    /// <param name="now">The time.</param>
    public static CcmReport Of(Addresses? addresses, DateTimeOffset now)
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
            || now - rejected.Time >= RejectionStays
        )
        {
            return (null, IsOver: true, null);
        }

        var (other, left) = (rejected.Uid, RejectionStays - (now - rejected.Time));
        if (
            CcmAnnotations.ClusterUidOf(addresses) is null
            && !string.IsNullOrEmpty(CcmAnnotations.ValueOf(addresses, Annotations.ClusterUid))
        )
        {
            return (
                $"Rejected a CCM of cluster {other}: annotation cluster-uid of Addresses is not a UID. Set it to the UID of "
                    + "namespace kube-system, or delete it.",
                false,
                left
            );
        }

        return CcmAnnotations.ClusterUidOf(addresses) is { } bound && bound != other
            ? (
                $"Rejected a CCM of cluster {other}; the tenant is bound to {bound}. Correct that CCM's kubeconfig, or set "
                    + "annotation cluster-uid of Addresses.",
                false,
                left
            )
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

        var version = CcmAnnotations.CcmVersionOf(addresses) is { } known ? $" (version {known})" : "";
        return (
            $"The CCM{version} last reported at {StatusTime.Of(seen)}; changes in the tenant's cluster have no effect. "
                + "Check its pod there, or delete the Tenant if that cluster is gone.",
            null
        );
    }
}
