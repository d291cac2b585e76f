using k8s;
using k8s.Models;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Workload;

/// <summary>What the workload controller keeps in its caches, and which change makes which tenant's workload worth a look.</summary>
internal static class WorkloadWatches
{
    public static void AddInformers(ClusterBuilder management, string generated)
    {
        management.Informer<V1Deployment>(deployments => deployments.LabelSelector = generated);
        management.Informer<V1DaemonSet>(daemonSets => daemonSets.LabelSelector = generated);
        management.Informer<V1PodDisruptionBudget>(budgets => budgets.LabelSelector = generated);
        management.Informer<PodMonitor>(monitors =>
        {
            monitors.LabelSelector = generated;
            monitors.WhenAbsent = WhenAbsent.BlockNone;
        });
    }

    public static void AddController(IServiceCollection services)
    {
        services.AddSingleton<ProxyDemand>().AddSingleton<ProxyAvailability>().AddSingleton<ProxyRollouts>();
        services.AddController<WorkloadReconciler>(
            "workload",
            controller =>
            {
                // One at a time, so that two tenants cannot both take the last slot for a rollout.
                controller.Workers = 1;
                controller.Watch<V1Service>(ManagementCluster.Name, host => host.GetRequiredService<ProxyDemand>().TurnedBy);
                controller.Watch<V1Deployment>(ManagementCluster.Name, _ => Of);
                controller.Watch<V1DaemonSet>(ManagementCluster.Name, _ => Of);
                controller.Watch<V1Deployment>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var rollouts = host.GetRequiredService<ProxyRollouts>();
                        return (Change<V1Deployment> change) => rollouts.WokenBy(change, Rollout.Of);
                    }
                );
                controller.Watch<V1DaemonSet>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var rollouts = host.GetRequiredService<ProxyRollouts>();
                        return (Change<V1DaemonSet> change) => rollouts.WokenBy(change, Rollout.Of);
                    }
                );
                controller.Watch<V1PodDisruptionBudget>(ManagementCluster.Name, _ => Of);
                controller.Watch<PodMonitor>(ManagementCluster.Name, _ => Of);
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
    /// A controller that wants to know when the first proxy of a tenant comes to serve, when the last one ceases to, and why there is none.
    /// </summary>
    public static void WatchAvailability(ControllerBuilder controller, Func<IServiceProvider, string, IEnumerable<ResourceKey>> keysOf)
    {
        controller.Watch<V1Deployment>(
            ManagementCluster.Name,
            host =>
                change =>
                    Turned(change, d => (ProxyAvailability.Serves(d), ProxyAvailability.Failure(d)))
                        ? keysOf(host, change.Key.Namespace)
                        : []
        );
        controller.Watch<V1DaemonSet>(
            ManagementCluster.Name,
            host =>
                change =>
                    Turned(change, d => (ProxyAvailability.Serves(d), ProxyAvailability.Failure(d)))
                        ? keysOf(host, change.Key.Namespace)
                        : []
        );
    }

    private static bool Turned<T>(Change<T> change, Func<T, (bool Serves, string? Failure)> read)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        change.Key.Name == TenantNames.Proxy(change.Key.Namespace)
        && (change.Old is null || change.New is null || read(change.Old) != read(change.New));

    private static IEnumerable<ResourceKey> Of(IKubernetesObject<V1ObjectMeta> value) =>
        value.Metadata.Name == TenantNames.Proxy(value.Metadata.NamespaceProperty)
            ? [WorkloadReconciler.KeyOf(value.Metadata.NamespaceProperty)]
            : [];
}
