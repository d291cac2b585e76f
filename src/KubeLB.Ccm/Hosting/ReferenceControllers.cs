using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Secrets;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Hosting;

/// <summary>
/// Wires what Secrets and references into other namespaces need: informers, the controller of SyncSecrets, and watches of others.
/// </summary>
internal static class ReferenceControllers
{
    /// <summary>Whether Secrets are carried at all.</summary>
    public static bool CarriesSecrets(CcmOptions options) => options.EnableGatewayApi || options.EnableSecretSynchronizer;

    /// <summary>The kinds of the tenant's cluster.</summary>
    public static void AddTenantInformers(ClusterBuilder tenant, CcmOptions options)
    {
        if (CarriesSecrets(options))
        {
            tenant.Informer<V1Secret>(secrets =>
            {
                secrets.FieldSelector = StoredSecret.FieldSelector;
                secrets.Transform = secret => StoredSecret.Of(secret, options.EnableSecretSynchronizer);
            });
        }

        if (CarriesSecrets(options))
        {
            tenant.Informer<SyncSecret>(syncSecrets => syncSecrets.WhenAbsent = WhenAbsent.BlockNone);
        }

        if (options.EnableGatewayApi)
        {
            tenant.Informer<Gateway>(gateways =>
                gateways
                    .Index(ReferenceIndexes.ByCertificate, ReferenceIndexes.Certificates)
                    .Index(ReferenceIndexes.ByReferencedNamespace, ReferenceIndexes.ReferencedNamespaces)
            );
            tenant.Informer<ReferenceGrant>(grants =>
            {
                grants.WhenAbsent = WhenAbsent.BlockNone;
                grants.Index(ReferenceIndexes.ByNamespace, ReferenceIndexes.Namespace);
            });
        }
    }

    /// <summary>The kinds of the management cluster.</summary>
    public static void AddManagementInformers(ClusterBuilder management, CcmOptions options, string tenantNamespace)
    {
        if (CarriesSecrets(options))
        {
            management.Informer<SyncSecret>(syncSecrets =>
            {
                syncSecrets.Namespace = tenantNamespace;
                syncSecrets.Index(ReferenceIndexes.BySecretOrigin, ReferenceIndexes.SecretOrigins);
            });
        }
    }

    /// <summary>The services.</summary>
    public static void AddServices(IServiceCollection services, CcmOptions options)
    {
        if (options.EnableGatewayApi)
        {
            services.AddSingleton<CertificateUsers>();
        }

        if (options.EnableGatewayApi)
        {
            services.AddSingleton<ReferenceDependents>();
        }
    }

    /// <summary>The controller of SyncSecrets.</summary>
    public static void Add(IServiceCollection services, CcmOptions options)
    {
        if (!CarriesSecrets(options))
        {
            return;
        }

        CcmControllers.AddBound<SyncSecretReconciler>(
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
                    controller.Watch<Gateway>(ClusterNames.Tenant, _ => ReferenceDependents.SecretsOf);
                    controller.Watch<GatewayClass>(ClusterNames.Tenant, WithDependentsOfChange<GatewayClass>(d => d.SecretsOf));
                    controller.Watch<Route>(ClusterNames.Management, WithDependentsOfChange<Route>(d => d.SecretsOf));
                    controller.Watch<ReferenceGrant>(ClusterNames.Tenant, WithDependents<ReferenceGrant>(d => d.SecretsOf));
                }
            }
        );
    }

    /// <summary>What changes the verdict on a Gateway's certificates.</summary>
    public static void WatchCertificates(ControllerBuilder gateways)
    {
        gateways.Watch<V1Secret>(ClusterNames.Tenant, WithDependents<V1Secret>(d => d.GatewaysOf));
        gateways.Watch<ReferenceGrant>(ClusterNames.Tenant, WithDependents<ReferenceGrant>(d => d.GatewaysOf));
    }

    /// <summary>What changes the verdict on a route's backends.</summary>
    public static void WatchGrants<T>(ControllerBuilder routes, CcmOptions options)
        where T : class, IGatewayRoute
    {
        if (options.EnforceReferenceGrants)
        {
            routes.Watch<ReferenceGrant>(
                ClusterNames.Tenant,
                WithDependents<ReferenceGrant>(d => grant => d.RoutesOf<T>(grant).Select(r => ResourceKey.Of(r)))
            );
        }
    }

    /// <summary>What makes a node-port twin needed, or superfluous.</summary>
    public static void WatchGrantsOfUsers<T>(ControllerBuilder twins, CcmOptions options)
        where T : class, IGatewayRoute
    {
        if (options.EnforceReferenceGrants)
        {
            twins.Watch<ReferenceGrant>(ClusterNames.Tenant, WithDependents<ReferenceGrant>(d => d.ServicesOf<T>));
        }
    }

    private static Func<IServiceProvider, Func<T, IEnumerable<ResourceKey>>> WithDependents<T>(
        Func<ReferenceDependents, Func<T, IEnumerable<ResourceKey>>> map
    ) => services => map(services.GetRequiredService<ReferenceDependents>());

    private static Func<IServiceProvider, Func<Change<T>, IEnumerable<ResourceKey>>> WithDependentsOfChange<T>(
        Func<ReferenceDependents, Func<Change<T>, IEnumerable<ResourceKey>>> map
    )
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> => services => map(services.GetRequiredService<ReferenceDependents>());
}
