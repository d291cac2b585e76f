using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Settings;

/// <summary>
/// Reports in the Config whether tenants may use the hostnames of others: with several Tenants, those for which neither the Config nor the
/// Tenant sets <c>allowedDomains</c>. A list with <c>*</c> is a decision of the administrator and is not reported.
/// </summary>
internal sealed class OpenDomains([FromKeyedServices(ManagementCluster.Name)] Cluster management)
{
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();

    /// <summary>Enqueues the Config when the number of Tenants, or of those without domains, changes.</summary>
    public static void Watch(ControllerBuilder controller, ManagerOptions options)
    {
        IEnumerable<ResourceKey> key = [new(options.Namespace, Config.DefaultName)];
        controller.Watch<Tenant>(
            ManagementCluster.Name,
            _ => (Change<Tenant> change) => (Exists(change.Old), IsOpen(change.Old)) == (Exists(change.New), IsOpen(change.New)) ? [] : key
        );
    }

    /// <summary>Sets condition <see cref="SettingsConditions.DomainsRestricted"/>.</summary>
    public void SetCondition(ConditionSet conditions, Config config)
    {
        var tenants = config.Spec?.AllowedDomains is { Count: > 0 } ? [] : _tenants.List().Where(Exists).ToList();
        var open = tenants.Count(IsOpen);
        var isRestricted = tenants.Count <= 1 || open == 0;
        conditions.Set(
            SettingsConditions.DomainsRestricted,
            ConditionStatus.Of(isRestricted),
            isRestricted ? SettingsConditions.Restricted : SettingsConditions.AllowedDomainsNotSet,
            isRestricted ? Messages.DomainsRestricted : Messages.AllowedDomainsNotSet(open, tenants.Count),
            config.Metadata.Generation
        );
    }

    private static bool Exists(Tenant? tenant) => tenant is { Metadata.DeletionTimestamp: null };

    private static bool IsOpen(Tenant? tenant) => Exists(tenant) && tenant!.Spec?.AllowedDomains is not { Count: > 0 };
}
