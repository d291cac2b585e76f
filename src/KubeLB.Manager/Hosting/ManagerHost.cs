using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Metrics;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Proxies.Acknowledgements;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Manager.Routes;
using KubeLB.Manager.Services;
using KubeLB.Manager.Settings;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Probes;
using KubeLB.Translation.Tenants;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.Manager.Hosting;

/// <summary>
/// Builds the host of a manager: settings, informers, services and controllers (<see cref="ManagerControllers"/>). The service
/// <see cref="ResourceCache"/> contains the configuration of the proxies.
/// </summary>
public static class ManagerHost
{
    private const string Generated = $"{Labels.ManagedBy}={Labels.ManagedByKubelb}";

    /// <summary>Builds the host; it sends no request before it starts.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="connect">Connects to the management cluster.</param>
    /// <param name="configure">Changes services before the host is built, for example logging.</param>
    public static IHost Build(ManagerOptions options, Func<IKubernetes> connect, Action<IServiceCollection>? configure = null)
    {
        var builder = ControllerHost.CreateBuilder(
            new ControllerHostOptions(
                "kubelb-manager",
                typeof(ManagerHost).Assembly,
                options.LogLevel,
                options.MetricsAddress,
                options.HealthProbeBindAddress,
                options.EnableLeaderElection ? LeaderElection(options) : null
            )
            {
                LogFormat = options.LogFormat,
                Tracing = options.Tracing,
                TracingVerb = "generate",
                TenantOf = TenantNames.TenantOf,
                MetricsSecurity = options.MetricsSecure ? new MetricsSecurity(ManagementCluster.Name, options.MetricsCertPath) : null,
            },
            runtime =>
            {
                runtime.ApplierAnnotation = Annotations.Applied;
                runtime.Finalizer = Finalizers.Cleanup;
            }
        );
        var services = builder.Services;
        var admission = new RouteAdmission();
        services.AddSingleton(admission);
        services.AddCluster(ManagementCluster.Name, _ => connect(), management => AddInformers(management, options, admission));

        services.AddSingleton(options);
        services.AddSingleton<ResourceCache>();
        services.AddSingleton<TenantSettingsResolver>();
        services.AddEventRecorder(ManagementCluster.Name, RouteEvents.Component, RouteEvents.PerTenant);
        TenantWatches.AddServices(services);
        if (options.EnableGatewayApi)
        {
            services.AddSingleton<RouteMemory>().AddHostedService(host => host.GetRequiredService<RouteMemory>());
            services.AddSingleton<PortAllocator>();
            services.AddSingleton<ManagementRanges>();
            services.AddSingleton<GatewayClasses>();
            services.AddSingleton<EnvoyGatewayReports>();
            services.AddSingleton<TenantEndpoints>();
            services.AddSingleton<ProxyConfigurations>();
            services.AddSingleton<XdsStreams>();
            services.AddSingleton<XdsCertificates>();
            services.AddSingleton<XdsEndpoint>();
            services.AddSingleton<IReadinessCheck, XdsReadiness>();
            services.AddSingleton<IXdsObserver, XdsMetrics>();
            services.AddSingleton<IDebugPage, XdsDebugPage>();
            services.AddSingleton<TenantEventWriter>().AddHostedService(host => host.GetRequiredService<TenantEventWriter>());
            services.AddSingleton<IXdsObserver>(host => new ProxyEvents(
                host.GetRequiredService<TenantSettingsResolver>().TenantOf,
                host.GetRequiredService<TenantEventWriter>().Record,
                host.GetRequiredService<TimeProvider>()
            ));
            AcknowledgementWatches.AddServices(services);
            services.AddSingleton<ConnectionFailures>().AddSingleton<IXdsObserver>(host => host.GetRequiredService<ConnectionFailures>());
            services.AddHostedService<XdsServer>();
            services.AddSingleton<GeneratedObjects>();
            services.AddSingleton<StatusDebouncer>();
            services.AddSingleton<ServiceDrain>();
            services.AddSingleton<RouteSuccession>();
            services.AddSingleton<RouteEvents>();
            services.AddSingleton<RoutePlanner>();
            services.AddSingleton(host => new GenerationLatency(
                host.GetRequiredService<CollectorRegistry>(),
                "kubelb_manager_edit_to_acknowledged_seconds",
                "Time from the first reconcile of a new generation of a Route to the write of the generated object, after the proxies have "
                    + "acknowledged its backends.",
                host.GetRequiredService<TimeProvider>()
            ));
            services.AddSingleton<NewBackends>();
            services.AddSingleton<RouteReporter>();
            services.AddHostedService<RouteMetrics>();
            services.AddHostedService<RolloutMetrics>();
        }

        ManagerControllers.Add(services, options);
        configure?.Invoke(services);
        return builder.Build();
    }

    /// <summary>The Lease for leader election.</summary>
    internal static LeaderElectionSettings LeaderElection(ManagerOptions options)
    {
        var settings = new LeaderElectionSettings(
            ManagementCluster.Name,
            options.Namespace,
            "kubelb-manager",
            ControllerHost.LeaseIdentity()
        );
        return options.Lease is { } times
            ? settings with
            {
                LeaseDuration = times.Duration,
                RenewDeadline = times.RenewDeadline,
                RetryPeriod = times.RetryPeriod,
            }
            : settings;
    }

    private const int RoutesPerPage = 8;

    private static void AddInformers(ClusterBuilder management, ManagerOptions options, RouteAdmission admission)
    {
        // The inputs of the xDS configuration. A replica can serve proxies without the other kinds.
        management
            .RequiredForReadiness<Route>()
            .RequiredForReadiness<V1Service>()
            .RequiredForReadiness<Tenant>()
            .RequiredForReadiness<Config>()
            .RequiredForReadiness<Addresses>()
            .RequiredForReadiness<V1Secret>();
        TenantWatches.AddInformers(management, options);
        management.Informer<V1Namespace>(OnlyGenerated);
        management.Informer<V1ServiceAccount>(OnlyGenerated);
        management.Informer<V1Role>(OnlyGenerated);
        management.Informer<V1RoleBinding>(OnlyGenerated);
        management.Informer<V1Secret>(secrets =>
        {
            secrets.LabelSelector = Generated;
            secrets.Index(Indexes.BySecretOrigin, Indexes.SecretOrigins);
            secrets.Index(Indexes.BySyncSecret, Indexes.SyncSecrets);
        });
        management.Informer<Route>(routes =>
        {
            // A tenant's Routes have up to 1.5 MB each, and a page is in memory as a whole.
            routes.PageSize = RoutesPerPage;
            routes.Transform = admission.Admit;
            routes.Index(Indexes.ByNamespace, Indexes.Namespace);
            routes.Index(Indexes.ByOrigin, Indexes.Origin);
            routes.Index(Indexes.ByOriginKind, Indexes.OriginKind);
            routes.Index(Indexes.ByParentGateway, Indexes.ParentGateways);
            routes.Index(Indexes.ByCertificate, Indexes.Certificates);
            routes.Index(Indexes.ByHostname, HostnameClaims.IndexValues);
        });
        if (options.EnableGatewayApi)
        {
            AcknowledgementWatches.AddInformers(management);
            ManagementRanges.AddInformers(management);
            GatewayClasses.AddInformers(management);
            WorkloadWatches.AddInformers(management, Generated);
            management.Informer<V1Service>(services =>
            {
                OwnedByRoutes(services);
                services.Index(Indexes.ByProxy, Indexes.Proxy);
            });
            management.Informer<Gateway>(gateways =>
            {
                OwnedByRoutes(gateways);
                gateways.Index(Indexes.ByGatewayClass, Indexes.GatewayClassOf);
            });
            management.Informer<HttpRoute>(OwnedByRoutes);
            management.Informer<GrpcRoute>(OwnedByRoutes);
            management.Informer<BackendTrafficPolicy>(policies =>
            {
                OwnedByRoutes(policies);
                policies.WhenAbsent = WhenAbsent.BlockNone;
            });
        }
    }

    private static void OnlyGenerated<T>(InformerBuilder<T> informer)
        where T : class, IKubernetesObject<V1ObjectMeta> => informer.LabelSelector = Generated;

    private static void OwnedByRoutes<T>(InformerBuilder<T> informer)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        informer.LabelSelector = Generated;
        informer.Index(Indexes.ByOwner, Indexes.Owner);
    }
}

/// <summary>Build of this manager.</summary>
internal static class ManagerBuild
{
    /// <summary>Version, commit and date.</summary>
    public static BuildVersion Build { get; } = BuildVersion.FromAssembly(typeof(ManagerBuild).Assembly);

    /// <summary>The version, for example <c>v1.4.0</c>.</summary>
    public static string Version => Build.Version;
}
