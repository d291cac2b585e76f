using System.Collections.Concurrent;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Proxies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>
/// Runs the proxies of each tenant that needs some (<see cref="ProxyDemand"/>): writes the objects of <see cref="ProxyWorkload"/>, and
/// removes them after the tenant's last Service. It writes only what is ours in them: what the API server fills in, and what others write
/// beside it (a restart by <c>kubectl rollout</c>), stays. The key is the tenant's.
/// </summary>
internal sealed class WorkloadReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    [FromKeyedServices(ManagementCluster.Name)] EventRecorder events,
    ManagerOptions options,
    TenantSettingsResolver settings,
    ProxyDemand demand,
    ProxyRollouts rollouts,
    Applier applier,
    TimeProvider time,
    ILogger<WorkloadReconciler> logger
) : IReconciler
{
    private const string Template = "spec.template";

    private readonly IInformer<V1Namespace> _namespaces = management.Informer<V1Namespace>();
    private readonly IInformer<V1Deployment> _deployments = management.Informer<V1Deployment>();
    private readonly IInformer<V1DaemonSet> _daemonSets = management.Informer<V1DaemonSet>();
    private readonly IInformer<V1PodDisruptionBudget> _budgets = management.Informer<V1PodDisruptionBudget>();
    private readonly IInformer<PodMonitor> _monitors = management.Informer<PodMonitor>();
    private readonly DelayTracker _idle = new(time);
    private readonly ConcurrentDictionary<string, string> _reported = new(StringComparer.Ordinal);

    /// <summary>The key of a tenant's workload.</summary>
    public static ResourceKey KeyOf(string tenantNamespace) => new("", tenantNamespace);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var tenantNamespace = key.Name;
        var tenant = settings.TenantOf(tenantNamespace);
        if (_namespaces.Get("", tenantNamespace) is not { Metadata.DeletionTimestamp: null })
        {
            // Everything in it goes, or has gone, with it.
            Forget(tenantNamespace);
            _idle.End(KeyOf(tenantNamespace));
            return ReconcileResult.Done;
        }

        if (tenant is null || !demand.Of(tenantNamespace))
        {
            Forget(tenantNamespace);
            return await RemoveAsync(tenantNamespace, cancellationToken).ConfigureAwait(false);
        }

        _idle.End(KeyOf(tenantNamespace));
        if (tenant.Metadata.DeletionTimestamp is not null || ControlPlaneAddress.Of(options) is not { } controlPlane)
        {
            Forget(tenantNamespace);
            return ReconcileResult.Done;
        }

        var workload = ProxyWorkload.Build(tenantNamespace, settings.ProxiesOf(tenantNamespace), controlPlane, CertificateSecrets.Client);
        try
        {
            return await WriteAsync(tenant, tenantNamespace, workload, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response is not null)
        {
            events.Record(
                tenant,
                EventType.Warning,
                "ProxiesNotDeployed",
                $"The proxies in namespace {tenantNamespace} cannot be written: {e.Message}"
            );
            throw;
        }
    }

    private async Task<ReconcileResult> WriteAsync(
        Tenant tenant,
        string tenantNamespace,
        ProxyWorkload workload,
        CancellationToken cancellationToken
    )
    {
        // What there is now serves until what comes instead does.
        var waits = false;
        if (workload.Deployment is { } deployment)
        {
            (var written, waits) = await RollAsync(deployment, _daemonSets, tenantNamespace, cancellationToken).ConfigureAwait(false);
            if (ProxyAvailability.Serves(written))
            {
                await DeleteAsync(_daemonSets, tenantNamespace, cancellationToken).ConfigureAwait(false);
            }
        }

        if (workload.DaemonSet is { } daemonSet)
        {
            (var written, waits) = await RollAsync(daemonSet, _deployments, tenantNamespace, cancellationToken).ConfigureAwait(false);
            if (ProxyAvailability.Serves(written))
            {
                await DeleteAsync(_deployments, tenantNamespace, cancellationToken).ConfigureAwait(false);
            }
        }

        var rollout = Report(tenant, tenantNamespace, waits);
        if (waits && !IsThere(workload))
        {
            // All of the other kind stays as it is, its budget included.
            return rollout;
        }

        if (workload.DisruptionBudget is { } budget)
        {
            await ApplyAsync(budget, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await DeleteAsync(_budgets, tenantNamespace, cancellationToken).ConfigureAwait(false);
        }

        if (workload.PodMonitor is not { } monitor)
        {
            await DeleteAsync(_monitors, tenantNamespace, cancellationToken).ConfigureAwait(false);
        }
        else if (!await TryApplyAsync(monitor, cancellationToken).ConfigureAwait(false))
        {
            events.Record(
                tenant,
                EventType.Warning,
                "PodMonitorUnavailable",
                "The management cluster does not know PodMonitors (monitoring.coreos.com); "
                    + "install the CustomResourceDefinitions of Prometheus Operator, or set envoyProxy.podMonitor.enabled of the Config "
                    + "to false."
            );
            return rollout.Outcome == ReconcileOutcome.RequeueAfter && rollout.Delay < Delays.PodMonitor
                ? rollout
                : ReconcileResult.RequeueAfter(Delays.PodMonitor);
        }

        return rollout;
    }

    // All but what replaces pods is written at once; that waits while other tenants' pods are being replaced.
    private async Task<(T? Written, bool Waits)> RollAsync<T, TOther>(
        T desired,
        IInformer<TOther> other,
        string tenantNamespace,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        var isThere = IsThere(management.Informer<T>(), tenantNamespace);
        if (isThere ? !applier.WouldChange(management, desired, Template) : !IsThere(other, tenantNamespace))
        {
            rollouts.EndWait(tenantNamespace);
        }
        else if (!rollouts.TryStart(tenantNamespace))
        {
            return isThere
                ? (Told(await applier.ApplyExceptAsync(management, desired, Template, cancellationToken).ConfigureAwait(false)), true)
                : (null, true);
        }

        return (await ApplyAsync(desired, cancellationToken).ConfigureAwait(false), false);
    }

    private ReconcileResult Report(Tenant tenant, string tenantNamespace, bool waits)
    {
        var (state, problem, left) = rollouts.Of(tenantNamespace);
        if (state != RolloutState.Stuck)
        {
            _reported.TryRemove(tenantNamespace, out _);
        }
        else if (_reported.GetValueOrDefault(tenantNamespace) != problem)
        {
            _reported[tenantNamespace] = problem!;
            events.Record(
                tenant,
                EventType.Warning,
                "ProxyRolloutStuck",
                $"The rollout of the proxies in namespace {tenantNamespace} makes no progress, "
                    + $"and other tenants' rollouts wait for it: {problem}. Correct or revert envoyProxy of the Config or the Tenant."
            );
        }

        var wait = waits && (left is null || left > Delays.ProxyRolloutSlot) ? Delays.ProxyRolloutSlot : left;
        return wait is { } delay ? ReconcileResult.RequeueAfter(delay) : ReconcileResult.Done;
    }

    private void Forget(string tenantNamespace)
    {
        rollouts.EndWait(tenantNamespace);
        _reported.TryRemove(tenantNamespace, out _);
    }

    private bool IsThere(ProxyWorkload workload) =>
        workload.Deployment is { } deployment
            ? IsThere(_deployments, deployment.Namespace())
            : IsThere(_daemonSets, workload.DaemonSet!.Namespace());

    // A definition that has just been removed is not known to be absent yet.
    private async Task<bool> TryApplyAsync(PodMonitor monitor, CancellationToken cancellationToken)
    {
        if (_monitors.IsAbsent)
        {
            return false;
        }

        try
        {
            await ApplyAsync(monitor, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private async Task<ReconcileResult> RemoveAsync(string tenantNamespace, CancellationToken cancellationToken)
    {
        if (
            !IsThere(_deployments, tenantNamespace)
            && !IsThere(_daemonSets, tenantNamespace)
            && !IsThere(_budgets, tenantNamespace)
            && !IsThere(_monitors, tenantNamespace)
        )
        {
            _idle.End(KeyOf(tenantNamespace));
            return ReconcileResult.Done;
        }

        if (_idle.Left(KeyOf(tenantNamespace), "", Delays.ProxyRemoval) is { } wait)
        {
            return ReconcileResult.RequeueAfter(wait);
        }

        await DeleteAsync(_monitors, tenantNamespace, cancellationToken).ConfigureAwait(false);
        await DeleteAsync(_deployments, tenantNamespace, cancellationToken).ConfigureAwait(false);
        await DeleteAsync(_daemonSets, tenantNamespace, cancellationToken).ConfigureAwait(false);
        await DeleteAsync(_budgets, tenantNamespace, cancellationToken).ConfigureAwait(false);
        _idle.End(KeyOf(tenantNamespace));
        return ReconcileResult.Done;
    }

    private async Task<T> ApplyAsync<T>(T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Told(await applier.ApplyAsync(management, desired, ApplyMode.Subset, cancellationToken).ConfigureAwait(false));

    private T Told<T>(Applied<T> applied)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (applied.Outcome != ApplyOutcome.Unchanged)
        {
            Log.Written(logger, ResourceKind.Of<T>().Kind, ResourceKey.Of(applied.Object), applied.Outcome);
        }

        return applied.Object;
    }

    private static bool IsThere<T>(IInformer<T> informer, string tenantNamespace)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        informer.Get(tenantNamespace, TenantNames.Proxy(tenantNamespace)) is { Metadata.DeletionTimestamp: null };

    private async Task DeleteAsync<T>(IInformer<T> informer, string tenantNamespace, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (informer.Get(tenantNamespace, TenantNames.Proxy(tenantNamespace)) is { Metadata.DeletionTimestamp: null } present)
        {
            await applier.DeleteAsync(management, present, cancellationToken).ConfigureAwait(false);
            Log.Removed(logger, ResourceKind.Of<T>().Kind, ResourceKey.Of(present));
        }
    }
}
