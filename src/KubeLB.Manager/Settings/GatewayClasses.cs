using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>
/// The GatewayClasses of the management cluster. Envoy Gateway ignores Gateways of a class that does not exist or that it does not accept,
/// so it does not report on them.
/// </summary>
internal sealed class GatewayClasses([FromKeyedServices(ManagementCluster.Name)] Cluster management)
{
    private readonly IInformer<GatewayClass> _classes = management.Informer<GatewayClass>();

    /// <summary>Adds the informer. A manager that may not read the kind reports no problem.</summary>
    public static void AddInformers(ClusterBuilder management) =>
        management.Informer<GatewayClass>(classes =>
        {
            classes.WhenAbsent = WhenAbsent.BlockNone;
            classes.MayBeForbidden = true;
        });

    /// <summary>Enqueues the Config when the problem of a class may have changed.</summary>
    public static void WatchConfig(ControllerBuilder controller, ResourceKey config) =>
        controller.Watch<GatewayClass>(
            ManagementCluster.Name,
            _ => (Change<GatewayClass> change) => GatewayClassProblem.IsSame(change.Old, change.New) ? [] : [config]
        );

    /// <summary>Enqueues the Tenants that have a class of their own when its problem may have changed.</summary>
    public static void WatchTenants(ControllerBuilder controller) =>
        controller.Watch<GatewayClass>(
            ManagementCluster.Name,
            host =>
            {
                var tenants = host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Tenant>();
                return (Change<GatewayClass> change) =>
                    GatewayClassProblem.IsSame(change.Old, change.New)
                        ? []
                        : tenants.List().Where(t => t.Spec?.GatewayAPI?.Class == change.Key.Name).Select(t => ResourceKey.Of(t));
            }
        );

    /// <summary>Enqueues the Routes of the generated Gateways of a class when its problem may have changed.</summary>
    public static void WatchRoutes(ControllerBuilder controller) =>
        controller.Watch<GatewayClass>(
            ManagementCluster.Name,
            host =>
            {
                var gateways = host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Gateway>();
                return (Change<GatewayClass> change) =>
                    GatewayClassProblem.IsSame(change.Old, change.New)
                        ? []
                        : gateways.ByIndex(Indexes.ByGatewayClass, change.Key.Name).SelectMany(Indexes.OwnerKey);
            }
        );

    /// <summary>The problem of the class of a policy; null if there is none, or Gateway API is disabled.</summary>
    public GatewayClassProblem? ProblemOf(TenantPolicy policy) =>
        policy.IsGatewayApiDisabled
            ? null
            : GatewayClassProblem.Of(policy.GatewayClass, _classes.Get("", policy.GatewayClass), _classes.IsComplete);

    /// <summary>
    /// Sets condition <see cref="GatewayClassConditions.GatewayClassReady"/> of the Config, unless Gateway API is disabled or the classes
    /// cannot be read.
    /// </summary>
    public void SetConfigCondition(ConditionSet conditions, Config config)
    {
        var policy = TenantPolicy.Merge(config, tenant: null);
        SetCondition(conditions, policy, config.Metadata.Generation);
        if (!policy.IsGatewayApiDisabled && ProblemOf(policy) is null && _classes.Get("", policy.GatewayClass) is { } found)
        {
            var ready = GatewayClassProblem.ConditionOf(found);
            conditions.Set(ready.Type, ready.Status, ready.Reason, ready.Message, config.Metadata.Generation);
        }
    }

    /// <summary>Sets condition <see cref="GatewayClassConditions.GatewayClassReady"/> while the class has a problem.</summary>
    public void SetCondition(ConditionSet conditions, TenantPolicy policy, long? generation)
    {
        if (ProblemOf(policy) is { } problem)
        {
            conditions.Set(GatewayClassConditions.GatewayClassReady, ConditionStatus.False, problem.Reason, problem.Message, generation);
        }
    }
}
