using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.GatewayClasses;
using KubeLB.Ccm.Gateways;
using KubeLB.Ccm.Nodes;
using KubeLB.Ccm.Registration;
using KubeLB.Ccm.Routes;
using KubeLB.Ccm.Services;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Nodes;
using KubeLB.Translation.Routes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Hosting;

/// <summary>The controllers of a CCM: which change makes which key worth a look.</summary>
internal static class CcmControllers
{
    private const int Workers = 4;

    public static void Add(IServiceCollection services, CcmOptions options)
    {
        IEnumerable<ResourceKey> all = [new("", Addresses.DefaultName)];
        services.AddController<ClusterBinding>(
            "clusterbinding",
            controller =>
            {
                controller.WaitFor<V1Node>(ClusterNames.Tenant);
                controller.Watch<V1Namespace>(
                    ClusterNames.Tenant,
                    _ => (V1Namespace ns) => ns.Name() == ClusterBinding.IdentityNamespace ? all : []
                );
                controller.Watch<Addresses>(ClusterNames.Management, _ => (Addresses _) => all);
            }
        );
        AddBound<NodeAddressesReconciler>(
            services,
            "node",
            controller =>
            {
                controller.Watch<V1Node>(
                    ClusterNames.Tenant,
                    provider =>
                    {
                        // Kubelets write their Nodes all the time.
                        var settings = provider.GetRequiredService<NodeAddressSettings>();
                        return (Change<V1Node> change) =>
                            NodeFacts.Of(change.Old, settings) == NodeFacts.Of(change.New, settings) ? [] : all;
                    }
                );
                controller.Watch<Addresses>(ClusterNames.Management, _ => (Addresses _) => all);
            }
        );
        ReferenceControllers.Add(services, options);
        if (!options.EnableGatewayApi)
        {
            return;
        }

        AddBound<GatewayClassReconciler>(
            services,
            "gatewayclass",
            controller =>
            {
                controller.Watch<GatewayClass>(ClusterNames.Tenant);
            }
        );
        AddBound<GatewayReconciler>(
            services,
            "gateway",
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<Gateway>(ClusterNames.Tenant);
                ReferenceControllers.WatchCertificates(controller);
                controller.Watch<GatewayClass>(ClusterNames.Tenant, WithDependentsOfChange<GatewayClass>(d => d.GatewaysOf));
                controller.Watch<Addresses>(ClusterNames.Management, WithDependentsOfChange<Addresses>(d => d.GatewaysOf));
                controller.Watch<Route>(
                    ClusterNames.Management,
                    _ =>
                        (Route route) =>
                            RouteOrigin.Of(route) is { Kind: Gateway.KindName } origin ? [new(origin.Namespace, origin.Name)] : []
                );
            }
        );
        AddBound<NodePortServiceReconciler>(
            services,
            "nodeport",
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<V1Service>(ClusterNames.Tenant, _ => (V1Service service) => Dependents.ServiceKeys(service));
                controller.Watch<Route>(ClusterNames.Management, _ => ServicesNoLongerServed);
                WatchUsers<HttpRoute>(controller, options);
                WatchUsers<GrpcRoute>(controller, options);
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
        AddRoutes<HttpRoute>(services, options, "httproute", HttpRoute.KindName);

        AddRoutes<GrpcRoute>(services, options, "grpcroute", GrpcRoute.KindName);
    }

    /// <summary>Adds a controller that runs only in the cluster that the tenant is bound to.</summary>
    public static void AddBound<TReconciler>(IServiceCollection services, string name, Action<ControllerBuilder> configure)
        where TReconciler : class, IReconciler =>
        services.AddController<TReconciler>(
            name,
            controller =>
            {
                controller.Leadership = provider => provider.GetRequiredService<LeadershipGate>();
                configure(controller);
            }
        );

    private static void AddRoutes<T>(IServiceCollection services, CcmOptions options, string name, string kind)
        where T : ApiObject, IGatewayRoute, new() =>
        AddBound<RouteReconciler<T>>(
            services,
            name,
            controller =>
            {
                controller.Workers = Workers;
                controller.Watch<T>(ClusterNames.Tenant);
                ReferenceControllers.WatchGrants<T>(controller, options);
                controller.Watch<Gateway>(ClusterNames.Tenant, WithDependentsOfChange<Gateway>(d => change => Keys(d.RoutesOf<T>(change))));
                controller.Watch<GatewayClass>(
                    ClusterNames.Tenant,
                    WithDependentsOfChange<GatewayClass>(d => change => Keys(d.RoutesOf<T>(change)))
                );
                controller.Watch<V1Namespace>(
                    ClusterNames.Tenant,
                    WithDependentsOfChange<V1Namespace>(d => change => Keys(d.RoutesOf<T>(change)))
                );
                controller.Watch<V1Service>(ClusterNames.Tenant, WithDependents<V1Service>(d => service => Keys(d.RoutesOf<T>(service))));
                controller.Watch<Route>(ClusterNames.Management, WithDependentsOfChange<Route>(d => change => d.RoutesOf<T>(change, kind)));
            }
        );

    // Whatever may attach a route to a Gateway of ours, or detach it, may make a twin needed, or superfluous.
    private static void WatchUsers<T>(ControllerBuilder controller, CcmOptions options)
        where T : class, IGatewayRoute
    {
        ReferenceControllers.WatchGrantsOfUsers<T>(controller, options);
        controller.Watch<T>(ClusterNames.Tenant, _ => (T route) => Dependents.ServicesOf(route));
        controller.Watch<Gateway>(
            ClusterNames.Tenant,
            WithDependentsOfChange<Gateway>(d => change => d.RoutesOf<T>(change).SelectMany(r => Dependents.ServicesOf(r)))
        );
        controller.Watch<GatewayClass>(
            ClusterNames.Tenant,
            WithDependentsOfChange<GatewayClass>(d => change => d.RoutesOf<T>(change).SelectMany(r => Dependents.ServicesOf(r)))
        );
        controller.Watch<V1Namespace>(
            ClusterNames.Tenant,
            WithDependentsOfChange<V1Namespace>(d => change => d.RoutesOf<T>(change).SelectMany(r => Dependents.ServicesOf(r)))
        );
    }

    private static IEnumerable<ResourceKey> ServicesNoLongerServed(Change<Route> change) =>
        from service in (change.Old is null ? [] : Indexes.ServedServices(change.Old)).Except(
            change.New is null ? [] : Indexes.ServedServices(change.New)
        )
        let key = service.Split('/')
        where key.Length == 2
        select new ResourceKey(key[0], key[1]);

    private static Func<IServiceProvider, Func<T, IEnumerable<ResourceKey>>> WithDependents<T>(
        Func<Dependents, Func<T, IEnumerable<ResourceKey>>> map
    ) => services => map(services.GetRequiredService<Dependents>());

    private static Func<IServiceProvider, Func<Change<T>, IEnumerable<ResourceKey>>> WithDependentsOfChange<T>(
        Func<Dependents, Func<Change<T>, IEnumerable<ResourceKey>>> map
    )
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> => services => map(services.GetRequiredService<Dependents>());

    private static IEnumerable<ResourceKey> Keys<T>(IEnumerable<T> routes)
        where T : class, IGatewayRoute => routes.Select(r => ResourceKey.Of(r));
}
