using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Routes;

/// <summary>The Routes of this tenant in the management cluster, found by the tenant's object that they stand for.</summary>
internal sealed class ManagementRoutes(
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    TenantRegistration registration,
    Applier applier,
    ILogger<ManagementRoutes> logger
)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    /// <summary>The Route of a tenant's object; null if there is none.</summary>
    public Route? Find(string kind, ResourceKey key, string uid) => Of(kind, key).FirstOrDefault(r => r.Name == uid);

    /// <summary>Writes the Route of a tenant's object if it differs.</summary>
    /// <returns>The Route, or why the management cluster refuses to have one.</returns>
    public async Task<(Route? Route, ManagementRejection? Refusal)> ApplyAsync(
        string kind,
        ResourceKey key,
        Route desired,
        CancellationToken cancellationToken
    )
    {
        var (applied, refusal) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
        if (applied is null)
        {
            return (null, refusal);
        }

        if (applied.Outcome != ApplyOutcome.Unchanged)
        {
            Log.RouteWritten(logger, desired.Name, kind, key, applied.Outcome);
        }

        return (applied.Object, null);
    }

    /// <summary>
    /// Deletes the Routes that stand for a tenant's object of this name, but for the one of <paramref name="exceptUid"/>: those of objects
    /// that are gone, were recreated, or are not served any more.
    /// </summary>
    public async Task RemoveObsoleteAsync(string kind, ResourceKey key, string? exceptUid, CancellationToken cancellationToken)
    {
        foreach (var route in Of(kind, key).Where(r => r.Name != exceptUid && r.Metadata.DeletionTimestamp is null))
        {
            await DeleteAsync(kind, key, route, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DeleteAsync(string kind, ResourceKey key, Route route, CancellationToken cancellationToken)
    {
        await applier.DeleteAsync(management, route, cancellationToken).ConfigureAwait(false);
        Log.RouteDeleted(logger, route.Name, kind, key);
    }

    private IReadOnlyList<Route> Of(string kind, ResourceKey key) =>
        _routes.ByIndex(Indexes.ByOrigin, RouteOrigin.KeyOf(kind, key.Namespace, key.Name));
}
