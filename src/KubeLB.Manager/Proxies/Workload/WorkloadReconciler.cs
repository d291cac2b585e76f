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
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Proxies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>
/// Deploys the proxies of each tenant that needs them (<see cref="ProxyDemand"/>): writes the objects of <see cref="ProxyWorkload"/>, and
/// deletes them after the tenant's last generated Service is removed. Fields of the API server and other clients (a restart by
/// <c>kubectl rollout</c>) are kept. The key is the tenant's.
/// </summary>
internal sealed class WorkloadReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    [FromKeyedServices(ManagementCluster.Name)] EventRecorder events,
    ManagerOptions options,
    TenantSettingsResolver settings,
    ProxyEgress egress,
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
    private readonly IInformer<V1NetworkPolicy> _policies = management.Informer<V1NetworkPolicy>();
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
            // The proxies are deleted with the namespace.
            Forget(tenantNamespace);
            _idle.End(KeyOf(tenantNamespace));
            return ReconcileResult.Done;
        }

        if (tenant is null || !demand.HasServices(tenantNamespace))
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

        var proxies = settings.ProxiesOf(tenantNamespace);
        var workload = ProxyWorkload.Build(
            tenantNamespace,
            proxies,
            controlPlane,
            CertificateSecrets.Client,
            proxies.HasNetworkPolicy ? egress.Of(tenant, controlPlane.Port) : []
        );
        try
        {
            return await WriteAsync(tenant, tenantNamespace, workload, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response is not null)
        {
            events.Record(
                tenant,
                EventType.Warning,
                TenantReasons.ProxiesNotDeployed,
                Messages.ProxiesNotDeployed(tenantNamespace, e.Message)
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
        // Before the pods, so that none runs without it.
        if (workload.NetworkPolicy is { } policy)
        {
            await ApplyAsync(policy, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await DeleteAsync(_policies, tenantNamespace, cancellationToken).ConfigureAwait(false);
        }

        // When the kind changes, the old object is deleted after a pod of the new one is available.
        var isWaiting = false;
        if (workload.Deployment is { } deployment)
        {
            (var written, isWaiting) = await RollAsync(deployment, _daemonSets, tenantNamespace, cancellationToken).ConfigureAwait(false);
            if (ProxyAvailability.IsAvailable(written))
            {
                await DeleteAsync(_daemonSets, tenantNamespace, cancellationToken).ConfigureAwait(false);
            }
        }

        if (workload.DaemonSet is { } daemonSet)
        {
            (var written, isWaiting) = await RollAsync(daemonSet, _deployments, tenantNamespace, cancellationToken).ConfigureAwait(false);
            if (ProxyAvailability.IsAvailable(written))
            {
                await DeleteAsync(_deployments, tenantNamespace, cancellationToken).ConfigureAwait(false);
            }
        }

        var rollout = ReportRollout(tenant, tenantNamespace, isWaiting);
        if (isWaiting && !Exists(workload))
        {
            // The object of the old kind and its disruption budget are kept.
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
            events.Record(tenant, EventType.Warning, TenantReasons.PodMonitorUnavailable, Messages.PodMonitorsNotInstalled);
            return rollout.Outcome == ReconcileOutcome.RequeueAfter && rollout.Delay < Delays.PodMonitor
                ? rollout
                : ReconcileResult.RequeueAfter(Delays.PodMonitor);
        }

        return rollout;
    }

    // Writes everything except the pod template immediately; the template waits for a free rollout slot.
    private async Task<(T? Written, bool IsWaiting)> RollAsync<T, TOther>(
        T desired,
        IInformer<TOther> other,
        string tenantNamespace,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        var exists = Exists(management.Informer<T>(), tenantNamespace);
        if (exists ? !applier.WouldChange(management, desired, Template) : !Exists(other, tenantNamespace))
        {
            rollouts.EndWait(tenantNamespace);
        }
        else if (!rollouts.TryStart(tenantNamespace))
        {
            return exists
                ? (Logged(await applier.ApplyExceptAsync(management, desired, Template, cancellationToken).ConfigureAwait(false)), true)
                : (null, true);
        }

        return (await ApplyAsync(desired, cancellationToken).ConfigureAwait(false), false);
    }

    private ReconcileResult ReportRollout(Tenant tenant, string tenantNamespace, bool isWaiting)
    {
        var (state, problem, left) = rollouts.StateOf(tenantNamespace);
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
                TenantReasons.ProxyRolloutStuck,
                Messages.RolloutStuck(tenantNamespace, problem!.TrimEnd('.'))
            );
        }

        var requeueAfter = isWaiting && (left is null || left > Delays.ProxyRolloutSlot) ? Delays.ProxyRolloutSlot : left;
        return requeueAfter is { } delay ? ReconcileResult.RequeueAfter(delay) : ReconcileResult.Done;
    }

    private void Forget(string tenantNamespace)
    {
        rollouts.EndWait(tenantNamespace);
        _reported.TryRemove(tenantNamespace, out _);
    }

    private bool Exists(ProxyWorkload workload) =>
        workload.Deployment is { } deployment
            ? Exists(_deployments, deployment.Namespace())
            : Exists(_daemonSets, workload.DaemonSet!.Namespace());

    // 404: the definition was just deleted, and the informer has not observed that yet.
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
            !Exists(_deployments, tenantNamespace)
            && !Exists(_daemonSets, tenantNamespace)
            && !Exists(_budgets, tenantNamespace)
            && !Exists(_policies, tenantNamespace)
            && !Exists(_monitors, tenantNamespace)
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
        await DeleteAsync(_policies, tenantNamespace, cancellationToken).ConfigureAwait(false);
        _idle.End(KeyOf(tenantNamespace));
        return ReconcileResult.Done;
    }

    private async Task<T> ApplyAsync<T>(T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Logged(await applier.ApplyAsync(management, desired, ApplyMode.Subset, cancellationToken).ConfigureAwait(false));

    private T Logged<T>(Applied<T> applied)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (applied.Outcome != ApplyOutcome.Unchanged)
        {
            Log.WorkloadWritten(logger, ResourceKind.Of<T>().Kind, ResourceKey.Of(applied.Object), applied.Outcome);
        }

        return applied.Object;
    }

    private static bool Exists<T>(IInformer<T> informer, string tenantNamespace)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        informer.Get(tenantNamespace, TenantNames.Proxy(tenantNamespace)) is { Metadata.DeletionTimestamp: null };

    private async Task DeleteAsync<T>(IInformer<T> informer, string tenantNamespace, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (informer.Get(tenantNamespace, TenantNames.Proxy(tenantNamespace)) is { Metadata.DeletionTimestamp: null } present)
        {
            await applier.DeleteAsync(management, present, cancellationToken).ConfigureAwait(false);
            Log.WorkloadDeleted(logger, ResourceKind.Of<T>().Kind, ResourceKey.Of(present));
        }
    }
}

/// <summary>Address of this manager's xDS server for pods.</summary>
internal static class ControlPlaneAddress
{
    private const int DefaultPort = 8001;

    /// <summary>Service <c>envoycp</c> in the manager's namespace, with the port of the xDS server; null if it is disabled.</summary>
    public static ControlPlane? Of(ManagerOptions options) =>
        ListenAddress.Parse(options.ListenAddress, loopbackByDefault: false) is { } address
            ? new ControlPlane(
                CertificateSecrets.ServiceName(options.Namespace),
                address.Port == 0 ? DefaultPort : address.Port,
                options.XdsInsecure
            )
            : null;
}
