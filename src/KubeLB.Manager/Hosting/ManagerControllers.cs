using k8s.Models;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Proxies.Acknowledgements;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Manager.Routes;
using KubeLB.Manager.Services;
using KubeLB.Manager.Settings;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Hosting;

/// <summary>The controllers of a manager, and the changes that enqueue their keys.</summary>
internal static class ManagerControllers
{
    private const int Workers = 4;

    public static void Add(IServiceCollection services, ManagerOptions options)
    {
        TenantWatches.AddController(services, options);
        TenantSummaryReconciler.AddController(services, options);
        services.AddSingleton<OpenDomains>();
        ConfigReconciler.AddController(services, options);
        if (!options.EnableGatewayApi)
        {
            return;
        }

        services.AddController<RouteReconciler>(
            "route",
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<Route>(ManagementCluster.Name);
                controller.Watch<Route>(ManagementCluster.Name, RoutesOfRenamedGateway);
                controller.Watch<V1Service>(ManagementCluster.Name, _ => (V1Service service) => Indexes.OwnerKey(service));
                controller.Watch<Gateway>(ManagementCluster.Name, _ => (Gateway gateway) => Indexes.OwnerKey(gateway));
                controller.Watch<Gateway>(ManagementCluster.Name, RoutesOfNewGateway);
                controller.Watch<HttpRoute>(ManagementCluster.Name, _ => (HttpRoute route) => Indexes.OwnerKey(route));
                controller.Watch<GrpcRoute>(ManagementCluster.Name, _ => (GrpcRoute route) => Indexes.OwnerKey(route));
                controller.Watch<BackendTrafficPolicy>(
                    ManagementCluster.Name,
                    _ => (BackendTrafficPolicy policy) => Indexes.OwnerKey(policy)
                );
                controller.Watch<V1Secret>(ManagementCluster.Name, GatewaysOfCertificate);
                PolicyReconciler.WatchAffectedRoutes(controller);
                HostnameReconciler.WatchAffectedRoutes(controller);
                GatewayClasses.WatchRoutes(controller);
                controller.Watch<Tenant>(ManagementCluster.Name, GatewaysOfProxyAvailability);
                AcknowledgementWatches.WatchAcknowledgements(controller);
                controller.WaitFor<Config>(ManagementCluster.Name);
            }
        );
        PolicyReconciler.AddController(services);
        HostnameReconciler.AddController(services);
        services.AddController<SyncSecretReconciler>(
            "syncsecret",
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<SyncSecret>(ManagementCluster.Name);
                controller.Watch<V1Secret>(
                    ManagementCluster.Name,
                    _ =>
                        (V1Secret secret) =>
                            Indexes.SyncSecretOf(secret) is { } owner ? [new ResourceKey(secret.Namespace(), owner.Name)] : []
                );
            }
        );
        services.AddController<ConfigurationReconciler>(
            "configuration",
            controller =>
            {
                controller.NeedsLeaderElection = false;
                controller.Workers = Workers;
                controller.Watch<Route>(ManagementCluster.Name);
                controller.Watch<V1Service>(ManagementCluster.Name, _ => RoutesOfService);
                EndpointWatches.WatchAddresses(controller, ConfigurationReconciler.TenantOf);

                // A tenant without Routes has an empty configuration, which removes the resources of remaining proxies; a deleted tenant
                // has no configuration.
                controller.Watch<Tenant>(ManagementCluster.Name, _ => TenantCreatedOrDeleted);
                EndpointWatches.WatchSettings(controller, ConfigurationReconciler.TenantOf);
                ManagementRanges.Watch(controller, ConfigurationReconciler.TenantOf);
                controller.Watch<Config>(ManagementCluster.Name, TenantsOfHeaderLimits);
            }
        );
        CertificateReconciler.AddController(services, options);
        WorkloadWatches.AddController(services);
        EndpointWatches.AddController(services);
    }

    // A Service that moves from one Route to another is updated in one step, so that its listener is not removed and added again.
    private static List<ResourceKey> RoutesOfService(Change<V1Service> change)
    {
        var owners = change.Both().SelectMany(Indexes.OwnerKey).Distinct().ToList();
        return owners.Count > 1 || change.Both().Any(service => LegacyServices.OriginOf(service) is not null)
            ? [ConfigurationReconciler.AllOf(change.Key.Namespace)]
            : owners;
    }

    private static IEnumerable<ResourceKey> TenantCreatedOrDeleted(Change<Tenant> change) =>
        change is { Old: { } old, New: { } now } && old.Metadata.Uid == now.Metadata.Uid
            ? []
            : [ConfigurationReconciler.TenantOf(TenantNames.Namespace(change.Key.Name))];

    private static Func<Change<Config>, IEnumerable<ResourceKey>> TenantsOfHeaderLimits(IServiceProvider services)
    {
        var tenants = Management(services).Informer<Tenant>();
        return change =>
            SettingsSection.Same(change.Old?.Spec?.EnvoyProxy?.HeaderLimits, change.New?.Spec?.EnvoyProxy?.HeaderLimits)
                ? []
                : tenants.List().Select(t => ConfigurationReconciler.TenantOf(TenantNames.Namespace(t.Name)));
    }

    // Routes refer to their Gateway by its generated name.
    private static Func<Change<Route>, IEnumerable<ResourceKey>> RoutesOfRenamedGateway(IServiceProvider services)
    {
        var routes = Management(services).Informer<Route>();
        return change =>
            GeneratedNameOf(change.Old) == GeneratedNameOf(change.New)
                ? []
                : change
                    .Both()
                    .Select(r => (Namespace: r.Namespace, Origin: RouteOrigin.Of(r)))
                    .Where(r => r.Origin?.Kind == Gateway.KindName)
                    .Select(r => Indexes.GatewayKey(r.Namespace, r.Origin!.Namespace, r.Origin.Name))
                    .Distinct()
                    .SelectMany(key => routes.ByIndex(Indexes.ByParentGateway, key))
                    .Select(r => ResourceKey.Of(r));
    }

    // Routes refer to an existing Gateway. A deleted one is recreated immediately, so its deletion can be ignored.
    private static Func<Change<Gateway>, IEnumerable<ResourceKey>> RoutesOfNewGateway(IServiceProvider services)
    {
        var routes = Management(services).Informer<Route>();
        return change =>
            change is { Old: null, New: { } gateway }
                ? Indexes
                    .OwnerKey(gateway)
                    .Select(key => routes.Get(key) is { } route ? RouteOrigin.Of(route) : null)
                    .OfType<RouteOrigin>()
                    .SelectMany(origin =>
                        routes.ByIndex(Indexes.ByParentGateway, Indexes.GatewayKey(gateway.Namespace, origin.Namespace, origin.Name))
                    )
                    .Select(r => ResourceKey.Of(r))
                : [];
    }

    // A Gateway depends on the existence and type of a Secret; Envoy Gateway reads its content.
    private static Func<Change<V1Secret>, IEnumerable<ResourceKey>> GatewaysOfCertificate(IServiceProvider services)
    {
        var routes = Management(services).Informer<Route>();
        return change =>
            change is { Old: { } old, New: { } now }
            && old.Type == now.Type
            && Indexes.SecretOrigins(old).SequenceEqual(Indexes.SecretOrigins(now))
                ? []
                : change
                    .Both()
                    .SelectMany(Indexes.SecretOrigins)
                    .Distinct()
                    .SelectMany(key => routes.ByIndex(Indexes.ByCertificate, key))
                    .Select(r => ResourceKey.Of(r));
    }

    private static Func<Change<Tenant>, IEnumerable<ResourceKey>> GatewaysOfProxyAvailability(IServiceProvider services)
    {
        var routes = Management(services).Informer<Route>();
        return change =>
            ProxyAvailabilityCondition.Of(change.Old?.Status)?.Message == ProxyAvailabilityCondition.Of(change.New?.Status)?.Message
                ? []
                : routes
                    .ByIndex(Indexes.ByNamespace, TenantNames.Namespace(change.Key.Name))
                    .Where(r => RouteOrigin.Of(r)?.Kind == Gateway.KindName)
                    .Select(r => ResourceKey.Of(r));
    }

    // Whether the Gateway has been reconciled, and its generated name.
    private static (bool IsReconciled, string? Name) GeneratedNameOf(Route? route) =>
        (route?.Status?.Resources?.Route is not null, route?.Status?.Resources?.Route?.GeneratedName);

    private static Cluster Management(IServiceProvider services) => services.GetRequiredKeyedService<Cluster>(ManagementCluster.Name);
}
