using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Endpoints;

/// <summary>Which change makes which tenant's addresses worth a look.</summary>
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
    /// Brings a key back when the addresses of a tenant change. CCMs write annotations every few minutes, which change nothing there.
    /// </summary>
    public static void WatchAddresses(ControllerBuilder controller, Func<string, ResourceKey> keyOf) =>
        controller.Watch<Addresses>(
            ManagementCluster.Name,
            _ => (Change<Addresses> change) => SameSpec(change) ? [] : [keyOf(change.Key.Namespace)]
        );

    private static ResourceKey KeyOf(string tenantNamespace) => new(tenantNamespace, Addresses.DefaultName);

    /// <summary>Brings keys back when the settings for their addresses change, and only then.</summary>
    public static void WatchSettings(ControllerBuilder controller, Func<string, ResourceKey> keyOf)
    {
        controller.Watch<Tenant>(
            ManagementCluster.Name,
            _ =>
                (Change<Tenant> change) =>
                    SettingsSection.Same(change.Old?.Spec?.Addresses, change.New?.Spec?.Addresses)
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

    // An object that was created again is another one, whatever it says; one that did not change at all comes from a resync.
    private static bool SameSpec(Change<Addresses> change) =>
        change is { Old: { } old, New: { } now }
        && !ReferenceEquals(old, now)
        && old.Metadata.Uid == now.Metadata.Uid
        && old.Metadata.DeletionTimestamp == now.Metadata.DeletionTimestamp
        && SettingsSection.Same(old.Spec, now.Spec);

    private static bool SameStatus(Change<Addresses> change) => SettingsSection.Same(change.Old?.Status, change.New?.Status);
}
