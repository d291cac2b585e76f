using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>
/// Looks for Routes whose outcome turned (<see cref="PolicyChanges"/>), once for however many changes of a tenant came at once. The key is
/// the tenant's namespace.
/// </summary>
internal sealed class PolicyReconciler(PolicyChanges changes) : IReconciler
{
    public static void AddController(IServiceCollection services)
    {
        services.AddSingleton<RouteQuota>().AddSingleton<PolicyChanges>();
        services.AddController<PolicyReconciler>(
            "policy",
            controller =>
                controller
                    .Watch<Tenant>(
                        ManagementCluster.Name,
                        _ => (Change<Tenant> change) => IsStatusOnly(change) ? [] : [KeyOf(TenantNames.Namespace(change.Key.Name))]
                    )
                    .Watch<Route>(
                        ManagementCluster.Name,
                        _ => (Change<Route> change) => RouteQuota.Concerns(change) ? [KeyOf(change.Key.Namespace)] : []
                    )
                    .Watch<Config>(
                        ManagementCluster.Name,
                        host =>
                        {
                            var changes = host.GetRequiredService<PolicyChanges>();
                            return (Change<Config> change) => change.Key.Name == Config.DefaultName ? changes.Namespaces.Select(KeyOf) : [];
                        }
                    )
        );
    }

    /// <summary>A controller of Routes that reconciles those that turned.</summary>
    public static void WatchTurned(ControllerBuilder controller) =>
        controller.Source(
            (host, enqueue) =>
            {
                var changes = host.GetRequiredService<PolicyChanges>();
                changes.Turned += enqueue;
                return new SourceSubscription(() => changes.Turned -= enqueue);
            }
        );

    public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        changes.Reevaluate(key.Name);
        return Task.FromResult(ReconcileResult.Done);
    }

    private static ResourceKey KeyOf(string tenantNamespace) => new("", tenantNamespace);

    private static bool IsStatusOnly(Change<Tenant> change) =>
        change is { Old: { } old, New: { } now } && old.Metadata.Uid == now.Metadata.Uid && SettingsSection.Same(old.Spec, now.Spec);
}
