using System.Collections.Concurrent;
using k8s;
using k8s.Models;
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
    /// <summary>There is none.</summary>
    None,

    /// <summary>It makes progress.</summary>
    InProgress,

    /// <summary>It makes no progress, and pods of the earlier template are left.</summary>
    Stuck,
}

/// <summary>
/// Lets a few tenants at a time have a rollout of their proxies. Which tenants have one is read from their Deployments and DaemonSets, so
/// that a new leader has the same answer. A rollout that fails keeps its slot: a template that fails for a few tenants must not reach the
/// others.
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
    /// Whether a tenant's pods may be replaced now; otherwise it waits, and <see cref="WokenBy{T}"/> names it. A tenant in a rollout need
    /// not wait (<see cref="Rollout.MayBeReplaced"/>), so that a correction reaches the failing ones at once.
    /// </summary>
    public bool TryStart(string tenantNamespace)
    {
        if (
            Read(tenantNamespace) is { MayBeReplaced: true }
            || Tenants().Count(t => t != tenantNamespace && Of(t).State != RolloutState.None) < options.ConcurrentProxyRollouts
        )
        {
            EndWait(tenantNamespace);
            return true;
        }

        _waiting.TryAdd(tenantNamespace, Interlocked.Increment(ref _arrivals));
        return false;
    }

    /// <summary>The tenant has nothing to wait for.</summary>
    public void EndWait(string tenantNamespace) => _waiting.TryRemove(tenantNamespace, out _);

    /// <summary>State of a tenant's rollout, why it is stuck, and when to ask again if nothing changes.</summary>
    public (RolloutState State, string? Problem, TimeSpan? RequeueAfter) Of(string tenantNamespace)
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

        // Without an old pod the template has replaced all there was: what is missing is room, or a node.
        return rollout is { IsObserved: true, HasOldPods: false }
            ? (RolloutState.None, null, null)
            : (RolloutState.Stuck, rollout.Failure ?? $"no pod has been replaced for {Delays.ProxyRollout.TotalMinutes:0} minutes", null);
    }

    /// <summary>Numbers of tenants whose rollout makes progress, and whose does not.</summary>
    public (int InProgress, int Stuck) Count()
    {
        var states = Tenants().Select(t => Of(t).State).ToList();
        return (states.Count(s => s == RolloutState.InProgress), states.Count(s => s == RolloutState.Stuck));
    }

    /// <summary>The tenants that may start when a rollout has ended: those that have waited longest.</summary>
    public IEnumerable<ResourceKey> WokenBy<T>(Change<T> change, Func<T?, Rollout?> read)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        change.Old is not null && (change.New is null || (read(change.Old) is not null && read(change.New) is null))
            ? _waiting.OrderBy(w => w.Value).Take(options.ConcurrentProxyRollouts).Select(w => WorkloadReconciler.KeyOf(w.Key)).ToList()
            : [];

    private Rollout? Read(string tenantNamespace)
    {
        var name = TenantNames.Proxy(tenantNamespace);
        var (deployment, daemonSet) = (_deployments.Get(tenantNamespace, name), _daemonSets.Get(tenantNamespace, name));
        var rollout = Rollout.Of(deployment) ?? Rollout.Of(daemonSet);

        // Where one takes the place of the other, the rollout ends with the other.
        return deployment is { Metadata.DeletionTimestamp: null } && daemonSet is { Metadata.DeletionTimestamp: null }
            ? new Rollout(
                IsObserved: true,
                HasOldPods: true,
                Serves: true,
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
