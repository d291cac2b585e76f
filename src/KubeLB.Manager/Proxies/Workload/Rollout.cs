using k8s.Models;
using KubeLB.Api;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>
/// A rollout that has not ended, as the status of a tenant's Deployment or DaemonSet has it (<c>kubectl rollout status</c> reads the same).
/// A Deployment whose rollout has ended has condition <c>Progressing</c> with reason <c>NewReplicaSetAvailable</c> from then on, also when
/// its number of pods changes or a node fails: neither is a rollout.
/// </summary>
/// <param name="IsObserved">Whether the status is of the latest spec.</param>
/// <param name="HasOldPods">Whether pods of an earlier template are left.</param>
/// <param name="Serves">Whether a pod is available.</param>
/// <param name="Failure">Why it makes no progress, as the Deployment says; null while it does not.</param>
/// <param name="Progress">Changes with each step of the rollout.</param>
internal sealed record Rollout(bool IsObserved, bool HasOldPods, bool Serves, string? Failure, string Progress)
{
    private const string Progressing = "Progressing";
    private const string Ended = "NewReplicaSetAvailable";
    private const string DeadlineExceeded = "ProgressDeadlineExceeded";

    /// <summary>
    /// Whether another template cannot take away more than this rollout does: it stops at the same pod, and a tenant without an available
    /// pod has nothing to lose.
    /// </summary>
    public bool MayBeReplaced => !Serves || (IsObserved && HasOldPods);

    /// <summary>The rollout of a Deployment; null if there is none.</summary>
    public static Rollout? Of(V1Deployment? deployment)
    {
        if (deployment is not { Metadata.DeletionTimestamp: null })
        {
            return null;
        }

        var status = deployment.Status;
        var (total, updated, available) = (status?.Replicas ?? 0, status?.UpdatedReplicas ?? 0, status?.AvailableReplicas ?? 0);
        var condition = status?.Conditions?.FirstOrDefault(c => c.Type == Progressing);
        var isObserved = IsCurrent(status?.ObservedGeneration, deployment.Metadata);
        if (
            isObserved
            && total == updated
            && (condition?.Reason == Ended || (updated >= (deployment.Spec.Replicas ?? 1) && available >= updated))
        )
        {
            return null;
        }

        // What it says of the spec before is no longer so.
        var failure = isObserved && condition is { Status: ConditionStatus.False, Reason: DeadlineExceeded } ? condition.Message : null;
        return new Rollout(
            isObserved,
            total > updated,
            available > 0,
            failure,
            $"{deployment.Metadata.Generation}/{total}/{updated}/{available}"
        );
    }

    /// <summary>The rollout of a DaemonSet; null if there is none.</summary>
    public static Rollout? Of(V1DaemonSet? daemonSet)
    {
        if (daemonSet is not { Metadata.DeletionTimestamp: null })
        {
            return null;
        }

        var status = daemonSet.Status;
        var (total, updated, available) = (
            status?.DesiredNumberScheduled ?? 0,
            status?.UpdatedNumberScheduled ?? 0,
            status?.NumberAvailable ?? 0
        );
        var isObserved = IsCurrent(status?.ObservedGeneration, daemonSet.Metadata);
        return isObserved && updated >= total && available >= total
            ? null
            : new Rollout(
                isObserved,
                updated < total,
                available > 0,
                null,
                $"{daemonSet.Metadata.Generation}/{total}/{updated}/{available}"
            );
    }

    private static bool IsCurrent(long? observed, V1ObjectMeta metadata) => (observed ?? 0) >= (metadata.Generation ?? 0);
}
