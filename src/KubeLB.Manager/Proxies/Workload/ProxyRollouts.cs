using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>State of a tenant's rollout.</summary>
internal enum RolloutState
{
    /// <summary>No rollout.</summary>
    None,

    /// <summary>It makes progress.</summary>
    InProgress,

    /// <summary>It makes no progress, and pods of the old template are left.</summary>
    Stuck,
}

/// <summary>
/// Limits the number of tenants whose proxies have a rollout at the same time. The rollouts in progress are read from Deployments and
/// DaemonSets, so that a new leader has the same state. A failed rollout keeps its slot, so that a template that fails for some tenants is
/// not rolled out to the others.
/// </summary>
internal sealed class ProxyRollouts(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    ManagerOptions options,
    TimeProvider time
)
{
    private readonly IInformer<V1Deployment> _deployments = management.Informer<V1Deployment>();
    private readonly IInformer<V1DaemonSet> _daemonSets = management.Informer<V1DaemonSet>();
    private readonly DelayTracker _progress = new(time);
    private readonly ConcurrentDictionary<string, long> _waiting = new(StringComparer.Ordinal);
    private long _arrivals;

    /// <summary>Number of tenants that wait for a slot.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>
    /// Whether a tenant's pods may be replaced now; otherwise it waits until <see cref="NextAfter{T}"/> returns it. A tenant with a rollout
    /// in progress need not wait (<see cref="Rollout.MayBeReplaced"/>), so that a corrected template is rolled out immediately.
    /// </summary>
    public bool TryStart(string tenantNamespace)
    {
        if (
            Read(tenantNamespace) is { MayBeReplaced: true }
            || Tenants().Count(t => t != tenantNamespace && StateOf(t).State != RolloutState.None) < options.ConcurrentProxyRollouts
        )
        {
            EndWait(tenantNamespace);
            return true;
        }

        _waiting.TryAdd(tenantNamespace, Interlocked.Increment(ref _arrivals));
        return false;
    }

    /// <summary>Removes a tenant from the waiting tenants.</summary>
    public void EndWait(string tenantNamespace) => _waiting.TryRemove(tenantNamespace, out _);

    /// <summary>State of a tenant's rollout, why it is stuck, and when to check again if nothing changes.</summary>
    public (RolloutState State, string? Problem, TimeSpan? RequeueAfter) StateOf(string tenantNamespace)
    {
        var key = WorkloadReconciler.KeyOf(tenantNamespace);
        if (Read(tenantNamespace) is not { } rollout)
        {
            _progress.End(key);
            return (RolloutState.None, null, null);
        }

        var left = _progress.Left(key, rollout.Progress, Delays.ProxyRollout);
        if (rollout.Failure is null && left is not null)
        {
            return (RolloutState.InProgress, null, left);
        }

        // Without old pods the rollout is complete; missing pods lack resources or a node.
        return rollout is { IsObserved: true, HasOldPods: false }
            ? (RolloutState.None, null, null)
            : (RolloutState.Stuck, rollout.Failure ?? Messages.NoPodReplaced(Delays.ProxyRollout), null);
    }

    /// <summary>Numbers of tenants whose rollout is in progress, and whose rollout is stuck.</summary>
    public (int InProgress, int Stuck) Count()
    {
        var states = Tenants().Select(t => StateOf(t).State).ToList();
        return (states.Count(s => s == RolloutState.InProgress), states.Count(s => s == RolloutState.Stuck));
    }

    /// <summary>The tenants that may start when a change ends a rollout: those that have waited longest.</summary>
    public IEnumerable<ResourceKey> NextAfter<T>(Change<T> change, Func<T?, Rollout?> read)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        change.Old is not null && (change.New is null || (read(change.Old) is not null && read(change.New) is null))
            ? _waiting.OrderBy(w => w.Value).Take(options.ConcurrentProxyRollouts).Select(w => WorkloadReconciler.KeyOf(w.Key)).ToList()
            : [];

    private Rollout? Read(string tenantNamespace)
    {
        var name = TenantNames.Proxy(tenantNamespace);
        var (deployment, daemonSet) = (_deployments.Get(tenantNamespace, name), _daemonSets.Get(tenantNamespace, name));
        var rollout = Rollout.Of(deployment) ?? Rollout.Of(daemonSet);

        // While a DaemonSet replaces a Deployment, or vice versa, the rollout ends with the deletion of the old one.
        return deployment is { Metadata.DeletionTimestamp: null } && daemonSet is { Metadata.DeletionTimestamp: null }
            ? new Rollout(
                IsObserved: true,
                HasOldPods: true,
                IsAvailable: true,
                rollout?.Failure,
                $"{Rollout.Of(deployment)?.Progress}+{Rollout.Of(daemonSet)?.Progress}"
            )
            : rollout;
    }

    private IEnumerable<string> Tenants() =>
        _deployments
            .List()
            .Select(d => (Namespace: d.Namespace(), Name: d.Name()))
            .Concat(_daemonSets.List().Select(d => (Namespace: d.Namespace(), Name: d.Name())))
            .Where(o => o.Name == TenantNames.Proxy(o.Namespace))
            .Select(o => o.Namespace)
            .Distinct(StringComparer.Ordinal);
}

/// <summary>
/// A rollout in progress, according to the status of a tenant's Deployment or DaemonSet (as in <c>kubectl rollout status</c>). A Deployment
/// whose rollout is complete keeps condition <c>Progressing</c> with reason <c>NewReplicaSetAvailable</c> when its number of pods changes
/// or a node fails: neither is a rollout.
/// </summary>
/// <param name="IsObserved">Whether the status is that of the latest spec.</param>
/// <param name="HasOldPods">Whether pods of an old template are left.</param>
/// <param name="IsAvailable">Whether a pod is available.</param>
/// <param name="Failure">Why it makes no progress, as the Deployment reports; null if it does not.</param>
/// <param name="Progress">Changes with each step of the rollout.</param>
internal sealed record Rollout(bool IsObserved, bool HasOldPods, bool IsAvailable, string? Failure, string Progress)
{
    private const string Progressing = "Progressing";
    private const string Ended = "NewReplicaSetAvailable";
    private const string DeadlineExceeded = "ProgressDeadlineExceeded";

    /// <summary>
    /// Whether another template cannot cause more unavailability than this rollout: it stops at the same pod, or no pod is available.
    /// </summary>
    public bool MayBeReplaced => !IsAvailable || (IsObserved && HasOldPods);

    /// <summary>The rollout of a Deployment; null if no rollout is in progress.</summary>
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

        // The condition of an older spec is outdated.
        var failure = isObserved && condition is { Status: ConditionStatus.False, Reason: DeadlineExceeded } ? condition.Message : null;
        return new Rollout(
            isObserved,
            total > updated,
            available > 0,
            failure,
            $"{deployment.Metadata.Generation}/{total}/{updated}/{available}"
        );
    }

    /// <summary>The rollout of a DaemonSet; null if no rollout is in progress.</summary>
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
