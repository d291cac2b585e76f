using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>Informers, services and watches of the tenant controller.</summary>
internal static class TenantWatches
{
    public static void AddServices(IServiceCollection services) =>
        services
            .AddSingleton<TenantStatusWriter>()
            .AddSingleton<TenantAccess>()
            .AddSingleton<TokenRotation>()
            .AddSingleton<TenantDefaults>()
            .AddSingleton<TenantRemoval>()
            .AddSingleton<TenantCcm>()
            .AddSingleton<TenantEvents>();

    public static void AddInformers(ClusterBuilder management, ManagerOptions options)
    {
        management.Informer<Tenant>(tenants => tenants.Index(TenantIndexes.ByTenantNamespace, TenantIndexes.TenantNamespace));
        management.Informer<Config>(configs => configs.Namespace = options.Namespace);
        management.Informer<TenantState>();
        management.Informer<Addresses>(addresses => addresses.Index(Indexes.ByNodeAddress, Indexes.NodeAddresses));
        management.Informer<SyncSecret>(secrets => secrets.Index(Indexes.ByNamespace, Indexes.Namespace));
        management.Informer<V1Secret>(secrets => secrets.Index(Indexes.ByToken, TokenSecret.Namespace));
        management.Informer<V1ConfigMap>(maps =>
        {
            maps.Namespace = ServerUrl.ClusterInfoNamespace;
            maps.FieldSelector = $"metadata.name={ServerUrl.ClusterInfoName}";
        });

        // The API server's slice in namespace "default", and the slices of the xDS servers of other replicas in the manager's namespace.
        management.Informer<V1EndpointSlice>(slices =>
            slices.LabelSelector = $"kubernetes.io/service-name in ({ServerUrl.ServiceName}, {CertificateSecrets.ServiceObject})"
        );
    }

    public static void AddController(IServiceCollection services, ManagerOptions options) =>
        services.AddController<TenantReconciler>(
            "tenant",
            controller =>
            {
                if (options.EnableGatewayApi)
                {
                    WorkloadWatches.WatchAvailability(
                        controller,
                        (host, tenantNamespace) => Tenants(host).ClaimantsOf(tenantNamespace).Select(t => ResourceKey.Of(t))
                    );
                    HostnameReconciler.WatchReports(controller, ClaimantsOf);
                    GatewayClasses.WatchTenants(controller);
                }

                // When a Tenant is deleted, another Tenant whose name results in the same namespace can own it.
                controller.Watch<Tenant>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var keysOf = ClaimantsOf(host);
                        return (Change<Tenant> change) =>
                            TenantSummaryReconciler.IsOnlyChangeOf(change)
                                ? []
                                : keysOf(TenantNames.Namespace(change.Key.Name)).Append(change.Key).Distinct();
                    }
                );
                controller.Watch<V1Namespace>(ManagementCluster.Name, ByNamespace<V1Namespace>(ns => ns.Name()));
                controller.Watch<V1ServiceAccount>(ManagementCluster.Name, ByNamespace<V1ServiceAccount>(account => account.Namespace()));
                controller.Watch<V1Role>(ManagementCluster.Name, ByNamespace<V1Role>(role => role.Namespace()));
                controller.Watch<V1RoleBinding>(ManagementCluster.Name, ByNamespace<V1RoleBinding>(binding => binding.Namespace()));
                controller.Watch<V1Secret>(
                    ManagementCluster.Name,
                    ByNamespace<V1Secret>(secret =>
                        secret.Name() == TenantNames.KubeconfigSecret ? secret.Namespace() : TokenSecret.Namespace(secret).FirstOrDefault()
                    )
                );
                controller.Watch<TenantState>(ManagementCluster.Name, ByNamespace<TenantState>(state => state.Namespace));

                // Only for a Tenant that is being removed: it waits for deletions, and must delete objects created in the meantime.
                controller.Watch<Route>(ManagementCluster.Name, OfTerminatingTenants<Route>);
                controller.Watch<Route>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var keysOf = ClaimantsOf(host);
                        return (Change<Route> change) => TenantDefaults.Concerns(change) ? keysOf(change.Key.Namespace) : [];
                    }
                );
                controller.Watch<SyncSecret>(ManagementCluster.Name, OfTerminatingTenants<SyncSecret>);
                controller.Watch<Addresses>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var tenants = Tenants(host);
                        return (Change<Addresses> change) =>
                            change.Key.Name == Addresses.DefaultName
                                ? tenants
                                    .ClaimantsOf(change.Key.Namespace)
                                    .Where(t => TenantCcm.Concerns(change, t))
                                    .Select(t => ResourceKey.Of(t))
                                : [];
                    }
                );

                controller.Watch<Config>(ManagementCluster.Name, All<Config>);
                controller.Watch<V1ConfigMap>(ManagementCluster.Name, All<V1ConfigMap>);
                controller.Watch<V1EndpointSlice>(
                    ManagementCluster.Name,
                    host =>
                    {
                        var all = All<V1EndpointSlice>(host);
                        return (V1EndpointSlice slice) => slice.Namespace() == TenantAccess.ApiServerNamespace ? all(slice) : [];
                    }
                );
            }
        );

    private static Func<IServiceProvider, Func<T, IEnumerable<ResourceKey>>> ByNamespace<T>(Func<T, string?> tenantNamespace) =>
        host =>
        {
            var keysOf = ClaimantsOf(host);
            return value => tenantNamespace(value) is { } name ? keysOf(name) : [];
        };

    private static Func<Change<T>, IEnumerable<ResourceKey>> OfTerminatingTenants<T>(IServiceProvider host)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        var tenants = Tenants(host);
        return change =>
            change.Old is not null && change.New is not null
                ? []
                : tenants
                    .ClaimantsOf(change.Key.Namespace)
                    .Where(t => t.Metadata.DeletionTimestamp is not null)
                    .Select(t => ResourceKey.Of(t));
    }

    private static Func<T, IEnumerable<ResourceKey>> All<T>(IServiceProvider host)
    {
        var tenants = Tenants(host);
        return _ => tenants.List().Select(t => ResourceKey.Of(t));
    }

    private static Func<string, IEnumerable<ResourceKey>> ClaimantsOf(IServiceProvider host)
    {
        var tenants = Tenants(host);
        return name => tenants.ClaimantsOf(name).Select(t => ResourceKey.Of(t));
    }

    private static IInformer<Tenant> Tenants(IServiceProvider host) =>
        host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Tenant>();
}
