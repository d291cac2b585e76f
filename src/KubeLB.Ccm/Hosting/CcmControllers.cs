using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.NodePorts;
using KubeLB.Ccm.Registration;
using KubeLB.Ccm.Routing;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Hosting;

/// <summary>The controllers of a CCM, and the changes that enqueue their keys.</summary>
internal static class CcmControllers
{
    private const int Workers = 4;

    public static void Add(IServiceCollection services, CcmOptions options)
    {
        AddClusterBinding(services);
        AddNodes(services);
        if (options.HandlesSecrets)
        {
            AddSecrets(services, options);
        }

        if (options.EnableGatewayApi)
        {
            AddBound<GatewayClassReconciler>(services, "gatewayclass", controller => controller.Watch<GatewayClass>(ClusterNames.Tenant));
            AddGateways(services);
            AddServices(services, options);
            AddRoutes<HttpRoute>(services, options, "httproute", HttpRoute.KindName);
            AddRoutes<GrpcRoute>(services, options, "grpcroute", GrpcRoute.KindName);
        }
    }

    private static void AddClusterBinding(IServiceCollection services)
    {
        var key = new ResourceKey("", Addresses.DefaultName);
        IEnumerable<ResourceKey> keys = [key];
        services.AddController<ClusterBinding>(
            "clusterbinding",
            controller =>
            {
                controller.WaitFor<V1Node>(ClusterNames.Tenant);
                controller.Watch<V1Namespace>(
                    ClusterNames.Tenant,
                    _ => (V1Namespace ns) => ns.Name() == ClusterBinding.IdentityNamespace ? keys : []
                );
                controller.Watch<Addresses>(ClusterNames.Management, _ => (Addresses _) => keys);

                // The previous token stays valid until this CCM reports the new one.
                controller.Source(
                    (provider, enqueue) =>
                    {
                        var management = provider.GetRequiredKeyedService<Cluster>(ClusterNames.Management);
                        void Report() => enqueue(key);
                        management.TokenInUseChanged += Report;
                        return new SourceSubscription(() => management.TokenInUseChanged -= Report);
                    }
                );
            }
        );
    }

    private static void AddNodes(IServiceCollection services)
    {
        IEnumerable<ResourceKey> key = [new("", Addresses.DefaultName)];
        AddBound<NodeAddressesReconciler>(
            services,
            "node",
            controller =>
            {
                controller.Watch<V1Node>(
                    ClusterNames.Tenant,
                    provider =>
                    {
                        // Kubelets update their Nodes every few minutes, usually without a relevant change.
                        var settings = provider.GetRequiredService<NodeAddressSettings>();
                        return (Change<V1Node> change) =>
                            NodeFacts.Read(change.Old, settings) == NodeFacts.Read(change.New, settings) ? [] : key;
                    }
                );
                controller.Watch<Addresses>(ClusterNames.Management, _ => (Addresses _) => key);
            }
        );
    }

    private static void AddSecrets(IServiceCollection services, CcmOptions options) =>
        AddBound<SyncSecretReconciler>(
            services,
            "syncsecret",
            controller =>
            {
                controller.Watch<V1Secret>(ClusterNames.Tenant);
                controller.Watch<SyncSecret>(ClusterNames.Tenant);
                controller.Watch<SyncSecret>(
                    ClusterNames.Management,
                    _ =>
                        (SyncSecret syncSecret) =>
                            SecretOrigin.Of(syncSecret) is { } origin ? [new ResourceKey(origin.Namespace, origin.Name)] : []
                );
                if (options.EnableGatewayApi)
                {
                    controller.Watch<Gateway>(ClusterNames.Tenant, _ => Dependents.SecretsOf);
                    controller.Watch<GatewayClass>(ClusterNames.Tenant, OnChange<GatewayClass>(d => d.SecretsOf));
                    controller.Watch<Route>(ClusterNames.Management, OnChange<Route>(d => d.SecretsOf));
                    controller.Watch<ReferenceGrant>(ClusterNames.Tenant, OnObject<ReferenceGrant>(d => d.SecretsOf));
                }
            }
        );

    private static void AddGateways(IServiceCollection services) =>
        AddBound<GatewayReconciler>(
            services,
            "gateway",
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<Gateway>(ClusterNames.Tenant);
                controller.Watch<V1Secret>(ClusterNames.Tenant, OnObject<V1Secret>(d => d.GatewaysOf));
                controller.Watch<ReferenceGrant>(ClusterNames.Tenant, OnObject<ReferenceGrant>(d => d.GatewaysOf));
                controller.Watch<GatewayClass>(ClusterNames.Tenant, OnChange<GatewayClass>(d => d.GatewaysOf));
                controller.Watch<Addresses>(ClusterNames.Management, OnChange<Addresses>(d => d.GatewaysOf));
                controller.Watch<Route>(
                    ClusterNames.Management,
                    _ =>
                        (Route route) =>
                            RouteOrigin.Of(route) is { Kind: Gateway.KindName } origin ? [new(origin.Namespace, origin.Name)] : []
                );
            }
        );

    private static void AddServices(IServiceCollection services, CcmOptions options)
    {
        AddBound<NodePortServiceReconciler>(
            services,
            "nodeport",
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<V1Service>(ClusterNames.Tenant, _ => (V1Service service) => Dependents.ServiceKeys(service));
                controller.Watch<Route>(ClusterNames.Management, _ => ServicesNoLongerServed);
                WatchBackends<HttpRoute>(controller, options);
                WatchBackends<GrpcRoute>(controller, options);
            }
        );
        AddBound<EndpointSliceMirrorReconciler>(
            services,
            "endpointslice",
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<V1Service>(ClusterNames.Tenant, _ => (V1Service service) => Dependents.ServiceKeys(service));
                controller.Watch<V1EndpointSlice>(ClusterNames.Tenant, _ => (V1EndpointSlice slice) => Dependents.ServiceKeys(slice));
            }
        );
    }

    private static void AddRoutes<T>(IServiceCollection services, CcmOptions options, string name, string kind)
        where T : ApiObject, IGatewayRoute, new() =>
        AddBound<RouteReconciler<T>>(
            services,
            name,
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<T>(ClusterNames.Tenant);
                if (options.EnforceReferenceGrants)
                {
                    controller.Watch<ReferenceGrant>(
                        ClusterNames.Tenant,
                        OnObject<ReferenceGrant>(d => grant => Keys(d.RoutesOf<T>(grant)))
                    );
                }

                controller.Watch<Gateway>(ClusterNames.Tenant, OnChange<Gateway>(d => change => Keys(d.RoutesOf<T>(change))));
                controller.Watch<GatewayClass>(ClusterNames.Tenant, OnChange<GatewayClass>(d => change => Keys(d.RoutesOf<T>(change))));
                controller.Watch<V1Namespace>(ClusterNames.Tenant, OnChange<V1Namespace>(d => change => Keys(d.RoutesOf<T>(change))));
                controller.Watch<V1Service>(ClusterNames.Tenant, OnObject<V1Service>(d => service => Keys(d.RoutesOf<T>(service))));
                controller.Watch<V1EndpointSlice>(
                    ClusterNames.Tenant,
                    OnChange<V1EndpointSlice>(d => change => Keys(d.RoutesOf<T>(change)))
                );
                controller.Watch<Route>(ClusterNames.Management, OnChange<Route>(d => change => d.RoutesOf<T>(change, kind)));
                controller.Source(
                    (host, enqueue) =>
                    {
                        var dependents = host.GetRequiredService<Dependents>();
                        var errors = host.GetRequiredService<NodePortServiceErrors>();
                        void OnError(ResourceKey service) => Keys(dependents.RoutesOf<T>(service)).ToList().ForEach(enqueue);
                        errors.Changed += OnError;
                        return new SourceSubscription(() => errors.Changed -= OnError);
                    }
                );
            }
        );

    // A change that attaches a route to a Gateway or detaches it may change whether its backends need node-port Services.
    private static void WatchBackends<T>(ControllerBuilder controller, CcmOptions options)
        where T : class, IGatewayRoute
    {
        if (options.EnforceReferenceGrants)
        {
            controller.Watch<ReferenceGrant>(ClusterNames.Tenant, OnObject<ReferenceGrant>(d => d.ServicesOf<T>));
        }

        controller.Watch<T>(ClusterNames.Tenant, _ => (T route) => Dependents.ServicesOf(route));
        controller.Watch<Gateway>(ClusterNames.Tenant, OnChange<Gateway>(d => change => Backends(d.RoutesOf<T>(change))));
        controller.Watch<GatewayClass>(ClusterNames.Tenant, OnChange<GatewayClass>(d => change => Backends(d.RoutesOf<T>(change))));
        controller.Watch<V1Namespace>(ClusterNames.Tenant, OnChange<V1Namespace>(d => change => Backends(d.RoutesOf<T>(change))));
    }

    // Adds a controller that runs only in the cluster that the tenant is bound to.
    private static void AddBound<TReconciler>(IServiceCollection services, string name, Action<ControllerBuilder> configure)
        where TReconciler : class, IReconciler =>
        services.AddController<TReconciler>(
            name,
            controller =>
            {
                controller.Leadership = provider => provider.GetRequiredService<LeadershipGate>();
                configure(controller);
            }
        );

    private static IEnumerable<ResourceKey> ServicesNoLongerServed(Change<Route> change) =>
        from service in (change.Old is null ? [] : Indexes.ServedServices(change.Old)).Except(
            change.New is null ? [] : Indexes.ServedServices(change.New)
        )
        let key = service.Split('/')
        where key.Length == 2
        select new ResourceKey(key[0], key[1]);

    private static Func<IServiceProvider, Func<T, IEnumerable<ResourceKey>>> OnObject<T>(
        Func<Dependents, Func<T, IEnumerable<ResourceKey>>> map
    ) => services => map(services.GetRequiredService<Dependents>());

    private static Func<IServiceProvider, Func<Change<T>, IEnumerable<ResourceKey>>> OnChange<T>(
        Func<Dependents, Func<Change<T>, IEnumerable<ResourceKey>>> map
    )
        where T : class, IKubernetesObject<V1ObjectMeta> => services => map(services.GetRequiredService<Dependents>());

    private static IEnumerable<ResourceKey> Keys<T>(IEnumerable<T> routes)
        where T : class, IGatewayRoute => routes.Select(r => ResourceKey.Of(r));

    private static IEnumerable<ResourceKey> Backends<T>(IEnumerable<T> routes)
        where T : class, IGatewayRoute => routes.SelectMany(r => Dependents.ServicesOf(r));
}
