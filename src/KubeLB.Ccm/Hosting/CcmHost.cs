using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.NodePorts;
using KubeLB.Ccm.Registration;
using KubeLB.Ccm.Routing;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Probes;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KubeLB.Ccm.Hosting;

/// <summary>
/// Builds the host of a CCM: settings, the two clusters with their informers, and controllers (<see cref="CcmControllers"/>).
/// </summary>
public static class CcmHost
{
    /// <summary>Builds the host; it sends no request before it starts.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="connections">Connections to the two clusters.</param>
    /// <param name="configure">Changes services before the host is built, for example logging.</param>
    public static IHost Build(CcmOptions options, CcmConnections connections, Action<IServiceCollection>? configure = null)
    {
        var tenant = TenantNames.TenantOf(TenantNames.Namespace(options.ClusterName));
        var builder = ControllerHost.CreateBuilder(
            new ControllerHostOptions(
                "kubelb-ccm",
                typeof(CcmHost).Assembly,
                options.LogLevel,
                options.MetricsAddress,
                options.HealthProbeBindAddress,
                options.EnableLeaderElection ? LeaderElection(options) : null
            )
            {
                LogFormat = options.LogFormat,
                Tracing = options.Tracing,
                TenantOf = _ => tenant,
                MetricsSecurity = options.MetricsSecure ? new MetricsSecurity(ClusterNames.Tenant, options.MetricsCertPath) : null,
            },
            runtime => runtime.ApplierAnnotation = Annotations.Applied
        );
        var services = builder.Services;
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

        services.AddSingleton(options);
        services.AddSingleton(
            new TenantSettings(TenantNames.Namespace(options.ClusterName), options.UseGatewayClass, options.EnforceReferenceGrants)
            {
                IsGatewayControllerEnabled = !options.DisableGatewayController,
                IsHttpRouteControllerEnabled = !options.DisableHttpRouteController,
                IsGrpcRouteControllerEnabled = !options.DisableGrpcRouteController,
            }
        );
        services.AddSingleton(options.NodeAddresses);
        services.AddSingleton(host => new GenerationLatency(
            host.GetRequiredService<CollectorRegistry>(),
            "kubelb_ccm_edit_to_status_seconds",
            "Time from the first reconcile of a new generation of a tenant's object to its status without pending conditions.",
            host.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<NodePortServiceErrors>();
        services.AddSingleton<ITenantView, TenantView>();
        services.AddSingleton<Dependents>();
        services.AddSingleton<TenantRegistration>();
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<TenantRegistration>());
        services.AddSingleton<LeadershipGate>();
        services.AddSingleton<ClusterBinding>();
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<ClusterBinding>());
        services.AddSingleton<ManagementRoutes>();
        services.AddSingleton<KindAvailability>();
        services.AddEventRecorder(ClusterNames.Tenant, StatusEvents.Component);
        services.AddSingleton<StatusEvents>();
        if (options.EnableGatewayApi)
        {
            services.AddSingleton<CertificateUsers>();
        }
        else
        {
            services.AddHostedService<GatewayApiNotice>();
        }

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
                // The service account of the pod may have any name.
                tenant.ExplainForbidden = string.IsNullOrEmpty(options.Kubeconfig) ? null : ForeignCredentials.InTenantCluster;
                tenant.Informer<V1Node>();
                if (options.HandlesSecrets)
                {
                    tenant.Informer<V1Secret>(secrets =>
                    {
                        secrets.FieldSelector = StoredSecret.FieldSelector;
                        secrets.Transform = secret => StoredSecret.Reduce(secret, options.EnableSecretSynchronizer);
                    });
                    tenant.Informer<SyncSecret>(syncSecrets => syncSecrets.WhenAbsent = WhenAbsent.BlockNone);
                }

                if (options.EnableGatewayApi)
                {
                    AddGatewayApi(tenant, options);
                }
                else
                {
                    tenant.Informer<V1Namespace>(namespaces =>
                        namespaces.FieldSelector = $"metadata.name={ClusterBinding.IdentityNamespace}"
                    );
                }
            }
        );
        services.AddCluster(
            ClusterNames.Management,
            _ => connections.Management(),
            management =>
            {
                management.ExplainForbidden = message => ForeignCredentials.InManagementCluster(message, options.ClusterName);
                var tenantNamespace = TenantNames.Namespace(options.ClusterName);
                management.Informer<Addresses>(addresses => addresses.Namespace = tenantNamespace);
                if (options.HandlesSecrets)
                {
                    management.Informer<SyncSecret>(syncSecrets =>
                    {
                        syncSecrets.Namespace = tenantNamespace;
                        syncSecrets.Index(Indexes.BySecretOrigin, Indexes.SecretOrigins);
                    });
                }

                if (options.EnableGatewayApi)
                {
                    management.Informer<Route>(routes =>
                    {
                        routes.Namespace = tenantNamespace;
                        routes.Index(Indexes.ByOrigin, Indexes.Origin);
                        routes.Index(Indexes.ByOriginKind, Indexes.OriginKind);
                        routes.Index(Indexes.ByServedService, Indexes.ServedServices);
                        routes.Index(Indexes.ByGeneratedName, Indexes.GeneratedNames);
                    });
                }
            }
        );
    }

    private static void AddGatewayApi(ClusterBuilder tenant, CcmOptions options)
    {
        tenant.Informer<V1Service>();
        tenant.Informer<V1EndpointSlice>(slices =>
        {
            slices.Transform = BackendReadiness.Reduce;
            slices.Index(Indexes.ByService, Indexes.Service);
        });
        tenant.Informer<V1Namespace>();
        tenant.Informer<GatewayClass>();
        tenant.Informer<Gateway>(gateways =>
        {
            gateways.Index(Indexes.ByName, Indexes.Name);
            gateways.Index(Indexes.ByNamespace, Indexes.Namespace);
            gateways.Index(Indexes.ByGatewayClass, Indexes.GatewayClass);
            gateways.Index(Indexes.ByCertificate, Indexes.Certificates);
            gateways.Index(Indexes.ByReferencedNamespace, Indexes.ReferencedNamespaces);
        });
        tenant.Informer<HttpRoute>(routes => AddRouteIndexes(routes, options.DisableHttpRouteController));
        tenant.Informer<GrpcRoute>(routes => AddRouteIndexes(routes, options.DisableGrpcRouteController));
        tenant.Informer<ReferenceGrant>(grants =>
        {
            grants.WhenAbsent = WhenAbsent.BlockNone;
            grants.Index(Indexes.ByNamespace, Indexes.Namespace);
        });
    }

    private static void AddRouteIndexes<T>(InformerBuilder<T> routes, bool isDisabled)
        where T : class, IGatewayRoute
    {
        // Routes written before a kind was disabled must be removed; the kind itself need not be installed then.
        routes.WhenAbsent = isDisabled ? WhenAbsent.BlockNone : WhenAbsent.BlockOwnControllers;
        routes.Index(Indexes.ByParentGateway, Indexes.ParentGateways);
        routes.Index(Indexes.ByBackendService, Indexes.BackendServices);
        routes.Index(Indexes.ByNamespace, Indexes.Namespace);
        routes.Index(Indexes.ByReferencedNamespace, Indexes.ReferencedNamespaces);
    }

    /// <summary>The Lease for leader election.</summary>
    internal static LeaderElectionSettings LeaderElection(CcmOptions options)
    {
        var podNamespace = Environment.GetEnvironmentVariable("NAMESPACE");
        var @namespace =
            !string.IsNullOrEmpty(options.LeaderElectionNamespace) ? options.LeaderElectionNamespace
            : !string.IsNullOrEmpty(podNamespace) ? podNamespace
            : "kube-system";
        return new LeaderElectionSettings(ClusterNames.Tenant, @namespace, "kubelb-ccm", ControllerHost.LeaseIdentity());
    }
}

/// <summary>Logs at the start that Gateway API is not enabled.</summary>
internal sealed class GatewayApiNotice(ILogger<GatewayApiNotice> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Log.GatewayApiNotEnabled(logger);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
