using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using KubeLB.Sandbox.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>
/// Stand-in for Envoy Gateway in the management cluster: serves Gateways of its class and writes their statuses like Envoy Gateway.
/// </summary>
internal static class EnvoyGatewayHost
{
    /// <summary>Name of the cluster within the host.</summary>
    public const string Cluster = "management";

    /// <summary>The <c>controllerName</c> of Envoy Gateway.</summary>
    public const string ControllerName = "gateway.envoyproxy.io/gatewayclass-controller";

    /// <summary>Index of routes by <c>namespace/name</c> of their Gateways.</summary>
    public const string ByParent = "parent";

    /// <summary>Index of routes by <c>namespace/name</c> of their Services.</summary>
    public const string ByService = "service";

    /// <summary>Index of Gateways by <c>namespace/name</c> of their certificates' Secrets.</summary>
    public const string BySecret = "secret";

    /// <summary>Index of EndpointSlices by <c>namespace/name</c> of their Services.</summary>
    public const string BySliceService = "slice-service";

    /// <summary>Index of Gateways by class.</summary>
    public const string ByClass = "class";

    /// <summary>Index of ReferenceGrants by namespace.</summary>
    public const string ByNamespace = "namespace";

    /// <summary>Index of BackendTrafficPolicies by their targets.</summary>
    public const string ByTarget = "target";

    /// <summary>Builds the host.</summary>
    /// <param name="connect">Connects to the management cluster as administrator.</param>
    /// <param name="addProxies">Registers the <see cref="IProxyEndpoints"/> of the tenant proxies.</param>
    /// <param name="sockets">The sockets of the Gateways.</param>
    /// <param name="directory">Backends of the data plane; connected to the cluster here.</param>
    /// <param name="notices">Receives notices about remapped ports.</param>
    /// <param name="logging">Adds log providers.</param>
    public static IHost Build(
        Func<IKubernetes> connect,
        Action<IServiceCollection> addProxies,
        GatewaySockets sockets,
        ServiceDirectory directory,
        SandboxNotices notices,
        Action<ILoggingBuilder> logging
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logging(builder.Logging);
        var services = builder.Services;
        addProxies(services);
        services.AddSingleton(sockets).AddSingleton(notices).AddSingleton<ClusterView>().AddSingleton<ServedRoutes>();
        services.AddSingleton<GatewayServices>();
        services.AddKubeRuntime(o =>
        {
            o.Component = "sandbox_gateway";
            o.FieldManager = "envoy-gateway";
        });
        services.AddCluster(Cluster, _ => connect(), Watch);
        services.AddHostedService<GatewayClassRegistrar>();
        services.AddController<GatewayClassController>("gatewayclass", c => c.Watch<GatewayClass>(Cluster));
        AddGateways(services);
        AddRoutes<HttpRoute>(services, HttpRoute.KindName, "httproute");
        AddRoutes<GrpcRoute>(services, GrpcRoute.KindName, "grpcroute");
        AddPolicies(services);
        var host = builder.Build();
        directory.Connect(host.Services.GetRequiredService<ClusterView>());
        return host;
    }

    private static void Watch(ClusterBuilder cluster)
    {
        cluster.Informer<GatewayClass>();
        cluster.Informer<Gateway>(i =>
            i.Index(ByClass, g => [g.Spec?.GatewayClassName ?? ""])
                .Index(
                    BySecret,
                    g =>
                        (g.Spec?.Listeners ?? [])
                            .SelectMany(l => l.Tls?.CertificateRefs ?? [])
                            .Select(r => $"{r.Namespace ?? g.Namespace}/{r.Name}")
                            .Distinct()
                )
        );
        cluster.Informer<HttpRoute>(Indexes);
        cluster.Informer<GrpcRoute>(Indexes);
        cluster.Informer<BackendTrafficPolicy>(i =>
        {
            i.Index(ByTarget, PolicyTargets.Of);
            i.WhenAbsent = WhenAbsent.BlockNone;
        });
        cluster.Informer<V1Service>();
        cluster.Informer<V1EndpointSlice>(i => i.Index(BySliceService, EndpointSelection.ServiceOf));
        cluster.Informer<V1Secret>(i => i.FieldSelector = "type=kubernetes.io/tls");
        cluster.Informer<V1Namespace>();
        cluster.Informer<ReferenceGrant>(i => i.Index(ByNamespace, g => [g.Namespace]));
    }

    private static void Indexes<T>(InformerBuilder<T> informer)
        where T : class, IGatewayRoute =>
        informer
            .Index(ByParent, r => RouteReferences.Gateways(r).Select(k => k.ToString()))
            .Index(ByService, r => RouteReferences.Services(r).Select(k => k.ToString()));

    private static void AddGateways(IServiceCollection services) =>
        services.AddController<GatewayController>(
            "gateway",
            c =>
            {
                c.Watch<Gateway>(Cluster);
                c.Watch<HttpRoute>(Cluster, _ => (HttpRoute route) => RouteReferences.Gateways(route));
                c.Watch<GrpcRoute>(Cluster, _ => (GrpcRoute route) => RouteReferences.Gateways(route));
                c.Watch<GatewayClass>(Cluster, host => (GatewayClass x) => Keys(Informer<Gateway>(host).ByIndex(ByClass, x.Name)));
                c.Watch<V1Secret>(
                    Cluster,
                    host => (V1Secret x) => Keys(Informer<Gateway>(host).ByIndex(BySecret, ResourceKey.Of(x).ToString()))
                );
                c.Watch<ReferenceGrant>(Cluster, host => (ReferenceGrant _) => Keys(Informer<Gateway>(host).List()));
                c.Watch<V1Namespace>(Cluster, host => (V1Namespace _) => Keys(Informer<Gateway>(host).List()));
                c.Watch<V1Service>(Cluster, _ => (V1Service x) => GatewayService.GatewayOf(x) is { } gateway ? [gateway] : []);
                c.Watch<V1Service>(
                    Cluster,
                    host =>
                        (V1Service x) =>
                        {
                            var service = ResourceKey.Of(x).ToString();
                            return Informer<HttpRoute>(host)
                                .ByIndex(ByService, service)
                                .Cast<IGatewayRoute>()
                                .Concat(Informer<GrpcRoute>(host).ByIndex(ByService, service))
                                .SelectMany(RouteReferences.Gateways)
                                .Distinct();
                        }
                );
                c.Watch<BackendTrafficPolicy>(
                    Cluster,
                    host =>
                        (BackendTrafficPolicy x) =>
                            PolicyTargets
                                .Routes(x)
                                .Select(t =>
                                    t.Kind == GrpcRoute.KindName
                                        ? Informer<GrpcRoute>(host).Get(x.Namespace, t.Name)
                                        : (IGatewayRoute?)Informer<HttpRoute>(host).Get(x.Namespace, t.Name)
                                )
                                .OfType<IGatewayRoute>()
                                .SelectMany(RouteReferences.Gateways)
                                .Distinct()
                );
            }
        );

    private static void AddRoutes<T>(IServiceCollection services, string kind, string name)
        where T : class, IGatewayRoute =>
        services.AddController<RouteController<T>>(
            name,
            c =>
            {
                c.Watch<T>(Cluster);
                c.Source(
                    (host, enqueue) =>
                    {
                        var served = host.GetRequiredService<ServedRoutes>();
                        served.OverlapChanged += OnChange;
                        return new SourceSubscription(() => served.OverlapChanged -= OnChange);

                        void OnChange(string changed, ResourceKey route)
                        {
                            if (changed == kind)
                            {
                                enqueue(route);
                            }
                        }
                    }
                );
                c.Watch<Gateway>(Cluster, host => (Gateway x) => Keys(Informer<T>(host).ByIndex(ByParent, ResourceKey.Of(x).ToString())));
                c.Watch<V1Service>(
                    Cluster,
                    host => (V1Service x) => Keys(Informer<T>(host).ByIndex(ByService, ResourceKey.Of(x).ToString()))
                );
                c.Watch<ReferenceGrant>(Cluster, host => (ReferenceGrant _) => Keys(Informer<T>(host).List()));
                c.Watch<V1Namespace>(Cluster, host => (V1Namespace _) => Keys(Informer<T>(host).List()));
            }
        );

    // The status of a policy depends on the Gateways of its route, and on other policies for the same route.
    private static void AddPolicies(IServiceCollection services) =>
        services.AddController<PolicyController>(
            "policy",
            c =>
            {
                c.Watch<BackendTrafficPolicy>(Cluster);
                c.Watch<BackendTrafficPolicy>(
                    Cluster,
                    host =>
                        (BackendTrafficPolicy x) =>
                            PolicyTargets.Of(x).SelectMany(t => Keys(Informer<BackendTrafficPolicy>(host).ByIndex(ByTarget, t)))
                );
                c.Watch<HttpRoute>(Cluster, host => (HttpRoute x) => PoliciesOf(host, x));
                c.Watch<GrpcRoute>(Cluster, host => (GrpcRoute x) => PoliciesOf(host, x));
                c.Watch<Gateway>(
                    Cluster,
                    host =>
                        (Gateway x) =>
                            Informer<HttpRoute>(host)
                                .ByIndex(ByParent, ResourceKey.Of(x).ToString())
                                .Cast<IGatewayRoute>()
                                .Concat(Informer<GrpcRoute>(host).ByIndex(ByParent, ResourceKey.Of(x).ToString()))
                                .SelectMany(r => PoliciesOf(host, r))
                );
            }
        );

    private static IEnumerable<ResourceKey> PoliciesOf(IServiceProvider host, IGatewayRoute route) =>
        Keys(Informer<BackendTrafficPolicy>(host).ByIndex(ByTarget, PolicyTargets.KeyOf(route)));

    private static IInformer<T> Informer<T>(IServiceProvider host)
        where T : class, IKubernetesObject<V1ObjectMeta> => host.GetRequiredKeyedService<Cluster>(Cluster).Informer<T>();

    private static IEnumerable<ResourceKey> Keys<T>(IEnumerable<T> objects)
        where T : class, IKubernetesObject<V1ObjectMeta> => objects.Select(o => ResourceKey.Of(o));
}

/// <summary>References of routes.</summary>
internal static class RouteReferences
{
    /// <summary>The Gateways of a route's parentRefs.</summary>
    public static IEnumerable<ResourceKey> Gateways(IGatewayRoute route) =>
        route
            .ParentRefs.Where(p => p.Group is null or ApiGroups.GatewayApi && p.Kind is null or Gateway.KindName)
            .Select(p => RouteEvaluator.GatewayOf(route, p))
            .Distinct();

    /// <summary>The Services of a route's backends and mirrors.</summary>
    public static IEnumerable<ResourceKey> Services(IGatewayRoute route) =>
        route
            .Rules.SelectMany(Backends)
            .Select(b => new ResourceKey(b.Namespace ?? route.Metadata.NamespaceProperty ?? "", b.Name))
            .Distinct();

    private static IEnumerable<BackendObjectReference> Backends(RouteRule rule) =>
        (rule.BackendRefs ?? []).Concat((rule.Filters ?? []).Select(f => f.RequestMirror?.BackendRef).OfType<BackendObjectReference>());
}
