using k8s;
using k8s.Models;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>Informers, services and watches of the workload controller.</summary>
internal static class WorkloadWatches
{
    public static void AddInformers(ClusterBuilder management, string generated)
    {
        management.Informer<V1Deployment>(deployments => deployments.LabelSelector = generated);
        management.Informer<V1DaemonSet>(daemonSets => daemonSets.LabelSelector = generated);
        management.Informer<V1PodDisruptionBudget>(budgets => budgets.LabelSelector = generated);
        management.Informer<V1NetworkPolicy>(policies => policies.LabelSelector = generated);
        management.Informer<PodMonitor>(monitors =>
        {
            monitors.LabelSelector = generated;
            monitors.WhenAbsent = WhenAbsent.BlockNone;
        });
    }

    public static void AddController(IServiceCollection services)
    {
        services.AddSingleton<ProxyEgress>().AddSingleton<ProxyDemand>().AddSingleton<ProxyAvailability>().AddSingleton<ProxyRollouts>();
        services.AddController<WorkloadReconciler>(
            "workload",
            controller =>
            {
                // One worker, so that two tenants cannot both get the last rollout slot.
                controller.Workers = 1;
                controller.Watch<V1Service>(ManagementCluster.Name, host => host.GetRequiredService<ProxyDemand>().AffectedBy);
                controller.Watch<V1Deployment>(ManagementCluster.Name, _ => KeysOf);
                controller.Watch<V1DaemonSet>(ManagementCluster.Name, _ => KeysOf);
                controller.Watch<V1Deployment>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var rollouts = host.GetRequiredService<ProxyRollouts>();
                        return (Change<V1Deployment> change) => rollouts.NextAfter(change, Rollout.Of);
                    }
                );
                controller.Watch<V1DaemonSet>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var rollouts = host.GetRequiredService<ProxyRollouts>();
                        return (Change<V1DaemonSet> change) => rollouts.NextAfter(change, Rollout.Of);
                    }
                );
                controller.Watch<V1PodDisruptionBudget>(ManagementCluster.Name, _ => KeysOf);
                controller.Watch<V1NetworkPolicy>(ManagementCluster.Name, _ => KeysOf);
                controller.Watch<PodMonitor>(ManagementCluster.Name, _ => KeysOf);
                EndpointWatches.WatchSettings(controller, WorkloadReconciler.KeyOf);
                ManagementRanges.WatchAll(controller, WorkloadReconciler.KeyOf);
                controller.Watch<V1Namespace>(
                    ManagementCluster.Name,
                    _ =>
                        (Change<V1Namespace> change) =>
                            change.Old is { } && change.New is { } ? [] : [WorkloadReconciler.KeyOf(change.Key.Name)]
                );
                controller.Watch<Tenant>(
                    ManagementCluster.Name,
                    _ =>
                        (Change<Tenant> change) =>
                            change.Old is { }
                            && change.New is { }
                            && SettingsSection.Same(change.Old.Spec?.EnvoyProxy, change.New.Spec?.EnvoyProxy)
                                ? []
                                : [WorkloadReconciler.KeyOf(TenantNames.Namespace(change.Key.Name))]
                );
                controller.Watch<Config>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var tenants = host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Tenant>();
                        return (Change<Config> change) =>
                            SettingsSection.Same(change.Old?.Spec?.EnvoyProxy, change.New?.Spec?.EnvoyProxy)
                                ? []
                                : tenants.List().Select(t => WorkloadReconciler.KeyOf(TenantNames.Namespace(t.Name)));
                    }
                );
            }
        );
    }

    /// <summary>
    /// Enqueues keys when a tenant's first proxy becomes available, when the last one becomes unavailable, and when the cause changes.
    /// </summary>
    public static void WatchAvailability(ControllerBuilder controller, Func<IServiceProvider, string, IEnumerable<ResourceKey>> map)
    {
        controller.Watch<V1Deployment>(
            ManagementCluster.Name,
            host =>
                change =>
                    IsAvailabilityChanged(change, d => (ProxyAvailability.IsAvailable(d), ProxyAvailability.Failure(d)))
                        ? map(host, change.Key.Namespace)
                        : []
        );
        controller.Watch<V1DaemonSet>(
            ManagementCluster.Name,
            host =>
                change =>
                    IsAvailabilityChanged(change, d => (ProxyAvailability.IsAvailable(d), ProxyAvailability.Failure(d)))
                        ? map(host, change.Key.Namespace)
                        : []
        );
    }

    private static bool IsAvailabilityChanged<T>(Change<T> change, Func<T, (bool IsAvailable, string? Failure)> read)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        change.Key.Name == TenantNames.Proxy(change.Key.Namespace)
        && (change.Old is null || change.New is null || read(change.Old) != read(change.New));

    private static IEnumerable<ResourceKey> KeysOf(IKubernetesObject<V1ObjectMeta> value) =>
        value.Metadata.Name == TenantNames.Proxy(value.Metadata.NamespaceProperty)
            ? [WorkloadReconciler.KeyOf(value.Metadata.NamespaceProperty)]
            : [];
}

/// <summary>Decides which tenants need proxies: those with a generated Service. Takes constant time, by an index.</summary>
internal sealed class ProxyDemand([FromKeyedServices(ManagementCluster.Name)] Cluster management)
{
    private readonly IInformer<V1Service> _services = management.Informer<V1Service>();
    private readonly IInformer<V1Deployment> _deployments = management.Informer<V1Deployment>();
    private readonly IInformer<V1DaemonSet> _daemonSets = management.Informer<V1DaemonSet>();

    /// <summary>Whether a tenant needs proxies.</summary>
    public bool HasServices(string tenantNamespace) => _services.CountByIndex(Indexes.ByProxy, tenantNamespace) > 0;

    /// <summary>
    /// The tenant's key if a changed Service may change its demand: needed proxies do not exist, or existing ones are no longer needed. The
    /// deletion of proxies enqueues the key itself.
    /// </summary>
    public IEnumerable<ResourceKey> AffectedBy(Change<V1Service> change) =>
        change.Both().SelectMany(Indexes.Proxy).Any() && HasServices(change.Key.Namespace) != HasProxies(change.Key.Namespace)
            ? [WorkloadReconciler.KeyOf(change.Key.Namespace)]
            : [];

    private bool HasProxies(string tenantNamespace)
    {
        var name = TenantNames.Proxy(tenantNamespace);
        return _deployments.Get(tenantNamespace, name) is not null || _daemonSets.Get(tenantNamespace, name) is not null;
    }
}
