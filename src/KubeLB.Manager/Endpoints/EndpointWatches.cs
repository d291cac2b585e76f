using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Endpoints;

/// <summary>The controller of Addresses, and watches of node addresses and their settings.</summary>
internal static class EndpointWatches
{
    public static void AddController(IServiceCollection services) =>
        services.AddController<AddressesReconciler>(
            "addresses",
            controller =>
            {
                controller.Watch<Addresses>(
                    ManagementCluster.Name,
                    _ => (Change<Addresses> change) => SameSpec(change) && SameStatus(change) ? [] : [change.Key]
                );
                WatchSettings(controller, KeyOf);
                ManagementRanges.Watch(controller, KeyOf);
                controller.WaitFor<Route>(ManagementCluster.Name).WaitFor<V1Service>(ManagementCluster.Name);
                controller.Source(
                    (host, enqueue) =>
                    {
                        var configurations = host.GetRequiredService<ProxyConfigurations>();
                        void Enqueue(string tenantNamespace) => enqueue(KeyOf(tenantNamespace));
                        configurations.ExcessChanged += Enqueue;
                        return new SourceSubscription(() => configurations.ExcessChanged -= Enqueue);
                    }
                );
            }
        );

    /// <summary>
    /// Enqueues a key when the spec of a tenant's Addresses changes, but not for the annotations that CCMs write every few minutes.
    /// </summary>
    public static void WatchAddresses(ControllerBuilder controller, Func<string, ResourceKey> keyOf) =>
        controller.Watch<Addresses>(
            ManagementCluster.Name,
            _ => (Change<Addresses> change) => SameSpec(change) ? [] : [keyOf(change.Key.Namespace)]
        );

    private static ResourceKey KeyOf(string tenantNamespace) => new(tenantNamespace, Addresses.DefaultName);

    /// <summary>Enqueues keys when the settings for their addresses change.</summary>
    public static void WatchSettings(ControllerBuilder controller, Func<string, ResourceKey> keyOf)
    {
        controller.Watch<Tenant>(
            ManagementCluster.Name,
            _ =>
                (Change<Tenant> change) =>
                    SettingsSection.Same(change.Old?.Spec?.Addresses, change.New?.Spec?.Addresses)
                    && !VersionedDefaults.Differ(change.Old, change.New)
                        ? []
                        : [keyOf(TenantNames.Namespace(change.Key.Name))]
        );
        controller.Watch<Config>(
            ManagementCluster.Name,
            services =>
            {
                var addresses = services.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Addresses>();
                return (Change<Config> change) =>
                    SettingsSection.Same(change.Old?.Spec?.Addresses, change.New?.Spec?.Addresses)
                        ? []
                        : addresses.List().Select(a => keyOf(a.Namespace)).Distinct();
            }
        );
    }

    // A recreated object is reconciled even if its spec is equal. A change with the same instance is a resync, which is also reconciled.
    private static bool SameSpec(Change<Addresses> change) =>
        change is { Old: { } old, New: { } now }
        && !ReferenceEquals(old, now)
        && old.Metadata.Uid == now.Metadata.Uid
        && old.Metadata.DeletionTimestamp == now.Metadata.DeletionTimestamp
        && SettingsSection.Same(old.Spec, now.Spec);

    private static bool SameStatus(Change<Addresses> change) => SettingsSection.Same(change.Old?.Status, change.New?.Status);
}
