using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Events;
using KubeLB.Ccm.Registration;
using KubeLB.Ccm.Routes;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Probes;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Ccm.Hosting;

/// <summary>
/// Wires a CCM: its settings, its two clusters with the kinds that it watches there, and its controllers
/// (<see cref="CcmControllers"/>).
/// </summary>
public static class CcmHost
{
    /// <summary>Builds the host; nothing is sent before it starts.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="connections">The clusters.</param>
    /// <param name="configure">Changes the host before it is built, for example its logging.</param>
    public static IHost Build(CcmOptions options, CcmConnections connections, Action<IServiceCollection>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "kubelb-ccm" });
        var services = builder.Services;

        services.AddKubeRuntimeLogging("kubelb-ccm", options.LogLevel);
        services.AddKubeRuntime(runtime =>
        {
            runtime.Component = "kubelb_ccm";
            runtime.Build = BuildVersion.FromAssembly(typeof(CcmHost).Assembly);
            runtime.MetricsAddress = options.MetricsAddress;
            runtime.ProbeAddress = options.HealthProbeBindAddress;
            runtime.ApplierAnnotation = Annotations.Applied;
            runtime.NotReadyWhenDisconnected = true;
            runtime.FieldManager = "kubelb-ccm";
            runtime.LeaderElection = options.EnableLeaderElection ? LeaderElection(options) : null;
        });
        services.ConfigureCluster(
            ClusterNames.Tenant,
            tenant =>
                tenant
                    .RequiredForReadiness<V1Node>()
                    .RequiredForReadiness<V1Service>()
                    .RequiredForReadiness<V1Namespace>()
                    .RequiredForReadiness<GatewayClass>()
                    .RequiredForReadiness<Gateway>()
                    .RequiredForReadiness<HttpRoute>()
                    .RequiredForReadiness<GrpcRoute>()
        );
        services.ConfigureCluster(
            ClusterNames.Management,
            management => management.RequiredForReadiness<Route>().RequiredForReadiness<Addresses>()
        );
        AddClusters(services, options, connections);

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(
            new TenantSettings(TenantNames.Namespace(options.ClusterName), options.UseGatewayClass, options.EnforceReferenceGrants)
            {
                CarriesGateways = !options.DisableGatewayController,
                CarriesHttpRoutes = !options.DisableHttpRouteController,
                CarriesGrpcRoutes = !options.DisableGrpcRouteController,
            }
        );
        services.AddSingleton(options.NodeAddresses);
        services.AddSingleton<ITenantView, TenantView>();
        services.AddSingleton<Dependents>();
        services.AddSingleton<TenantRegistration>();
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<TenantRegistration>());
        services.AddSingleton<LeadershipGate>();
        services.AddSingleton<ClusterBinding>();
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<ClusterBinding>());
        services.AddSingleton<ManagementRoutes>();
        services.AddSingleton<SourceKinds>();
        services.AddEventRecorder(ClusterNames.Tenant, StatusEvents.Component);
        services.AddSingleton<StatusEvents>();
        ReferenceControllers.AddServices(services, options);
        CcmControllers.Add(services, options);

        configure?.Invoke(services);
        return builder.Build();
    }

    private static void AddClusters(IServiceCollection services, CcmOptions options, CcmConnections connections)
    {
        services.AddCluster(
            ClusterNames.Tenant,
            _ => connections.Tenant(),
            tenant =>
            {
                tenant.Informer<V1Node>();
                ReferenceControllers.AddTenantInformers(tenant, options);
                if (!options.EnableGatewayApi)
                {
                    tenant.Informer<V1Namespace>(namespaces =>
                        namespaces.FieldSelector = $"metadata.name={ClusterBinding.IdentityNamespace}"
                    );
                    return;
                }

                tenant.Informer<V1Service>();
                tenant.Informer<V1EndpointSlice>(slices =>
                {
                    slices.LabelSelector = MirroredEndpointSlices.Selector;
                    slices.Index(Indexes.ByService, Indexes.Service);
                });
                tenant.Informer<V1Namespace>();
                tenant.Informer<GatewayClass>();
                tenant.Informer<Gateway>(gateways => gateways.Index(Indexes.ByGatewayClass, Indexes.GatewayClass));
                tenant.Informer<HttpRoute>(routes => AddRouteIndexes(routes, options.DisableHttpRouteController));
                tenant.Informer<GrpcRoute>(routes => AddRouteIndexes(routes, options.DisableGrpcRouteController));
            }
        );
        services.AddCluster(
            ClusterNames.Management,
            _ => connections.Management(),
            management =>
            {
                var tenantNamespace = TenantNames.Namespace(options.ClusterName);
                management.Informer<Addresses>(addresses => addresses.Namespace = tenantNamespace);
                ReferenceControllers.AddManagementInformers(management, options, tenantNamespace);
                if (options.EnableGatewayApi)
                {
                    management.Informer<Route>(routes =>
                    {
                        routes.Namespace = tenantNamespace;
                        routes.Index(Indexes.ByOrigin, Indexes.Origin);
                        routes.Index(Indexes.ByOriginKind, Indexes.OriginKind);
                        routes.Index(Indexes.ByServedService, Indexes.ServedServices);
                    });
                }
            }
        );
    }

    private static void AddRouteIndexes<T>(InformerBuilder<T> routes, bool isSwitchedOff)
        where T : class, IGatewayRoute
    {
        // What was carried before a kind was switched off has to be cleaned up; where there is none of the kind, nobody misses it.
        routes.WhenAbsent = isSwitchedOff ? WhenAbsent.BlockNone : WhenAbsent.BlockOwnControllers;
        routes.Index(Indexes.ByParentGateway, Indexes.ParentGateways);
        routes.Index(Indexes.ByBackendService, Indexes.BackendServices);
        routes.Index(Indexes.ByNamespace, Indexes.Namespace);
        routes.Index(ReferenceIndexes.ByReferencedNamespace, ReferenceIndexes.ReferencedNamespaces);
    }

    /// <summary>The Lease that replicas elect their leader with.</summary>
    internal static LeaderElectionSettings LeaderElection(CcmOptions options)
    {
        var podNamespace = Environment.GetEnvironmentVariable("NAMESPACE");
        var @namespace =
            !string.IsNullOrEmpty(options.LeaderElectionNamespace) ? options.LeaderElectionNamespace
            : !string.IsNullOrEmpty(podNamespace) ? podNamespace
            : "kube-system";
        return new LeaderElectionSettings(ClusterNames.Tenant, @namespace, "kubelb-ccm", $"{Environment.MachineName}_{Guid.NewGuid():N}");
    }
}
