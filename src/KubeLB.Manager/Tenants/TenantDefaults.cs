using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Records the version whose defaults a new Tenant has (<see cref="VersionedDefaults"/>), and reports Tenants with earlier ones.
/// </summary>
internal sealed class TenantDefaults(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    Applier applier,
    TenantEndpoints? endpoints = null
)
{
    private readonly IInformer<V1ServiceAccount> _accounts = management.Informer<V1ServiceAccount>();
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    /// <summary>Whether a change of a Route may change what <see cref="SetCondition"/> reports.</summary>
    public static bool Concerns(Change<Route> change) => IsExceeding(change.Old) != IsExceeding(change.New);

    /// <summary>
    /// Sets the annotation of a Tenant that has not been set up yet: its CCM has no ServiceAccount. One that was set up may serve what the
    /// current defaults reject. The namespace alone proves nothing: it can be created before the Tenant.
    /// </summary>
    /// <returns>The updated Tenant.</returns>
    public async Task<Tenant> RecordAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        var name = new ResourceKey(TenantNames.Namespace(tenant.Name), TenantNames.Ccm);
        if (
            tenant.Metadata.Annotations?.ContainsKey(Annotations.Defaults) == true
            || _accounts.Get(name) is not null
            // The cache has only objects with the label of generated ones.
            || await management.Client<V1ServiceAccount>().GetAsync(name, cancellationToken).ConfigureAwait(false) is not null
        )
        {
            return tenant;
        }

        var annotations = new Dictionary<string, string?>(StringComparer.Ordinal) { [Annotations.Defaults] = VersionedDefaults.Current };
        return await applier.PatchAnnotationsAsync(management, tenant, annotations, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds condition <see cref="TenantDefaultsConditions.DefaultsCurrent"/> if the defaults are earlier ones.</summary>
    public void SetCondition(ConditionSet conditions, Tenant tenant)
    {
        var @namespace = TenantNames.Namespace(tenant.Name);
        if (tenant.Metadata.DeletionTimestamp is not null || settings.PolicyOf(@namespace).Upcoming is not { } upcoming)
        {
            return;
        }

        // Each Route of the tenant is read, but only of tenants with earlier defaults.
        var routes = _routes.ByIndex(Indexes.ByNamespace, @namespace);
        var beyond = RouteQuota.RoutesBeyond(upcoming, routes);
        conditions.Set(
            TenantDefaultsConditions.DefaultsCurrent,
            ConditionStatus.False,
            RouteConditions.EarlierDefaults,
            Messages.EarlierDefaults(
                VersionedDefaults.Current,
                VersionedDefaults.Next,
                routes.Count(route => beyond.Contains(route.Name) || IsExceeding(route)),
                endpoints?.CountUpcomingRejections(@namespace) ?? 0
            ),
            tenant.Metadata.Generation
        );
    }

    private static bool IsExceeding(Route? route) =>
        route?.Status?.Resources?.Route?.Conditions?.Any(c => c is { Type: RouteConditions.DefaultExceeded, IsTrue: true }) == true;
}
