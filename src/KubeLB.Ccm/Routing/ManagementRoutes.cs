using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Routing;

/// <summary>Reads and writes the Routes of this tenant in the management cluster, by the tenant's source object.</summary>
internal sealed class ManagementRoutes(
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    TenantRegistration registration,
    Applier applier,
    ILogger<ManagementRoutes> logger
)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    /// <summary>The Route of a source object; null if it does not exist.</summary>
    public Route? Find(string kind, ResourceKey key, string uid) => RoutesOf(kind, key).FirstOrDefault(r => r.Name == uid);

    /// <summary>Writes the Route of a source object if it differs.</summary>
    /// <returns>The Route, or why the management cluster rejected it.</returns>
    public async Task<(Route? Route, ManagementRejection? Rejection)> ApplyAsync(
        string kind,
        ResourceKey key,
        Route desired,
        CancellationToken cancellationToken
    )
    {
        var (applied, rejection) = await registration.ApplyAsync(desired, cancellationToken, Annotations.TraceParent).ConfigureAwait(false);
        if (applied is null)
        {
            return (null, rejection);
        }

        if (applied.Outcome != ApplyOutcome.Unchanged)
        {
            Log.RouteWritten(logger, desired.Name, kind, key, applied.Outcome);
        }

        return (applied.Object, null);
    }

    /// <summary>
    /// Deletes the Routes of source objects of this name, except that of <paramref name="exceptUid"/>: their objects were deleted or
    /// recreated, or are no longer served.
    /// </summary>
    public async Task RemoveObsoleteAsync(string kind, ResourceKey key, string? exceptUid, CancellationToken cancellationToken)
    {
        foreach (var route in RoutesOf(kind, key).Where(r => r.Name != exceptUid && r.Metadata.DeletionTimestamp is null))
        {
            await DeleteAsync(kind, key, route, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DeleteAsync(string kind, ResourceKey key, Route route, CancellationToken cancellationToken)
    {
        await applier.DeleteAsync(management, route, cancellationToken).ConfigureAwait(false);
        Log.RouteDeleted(logger, route.Name, kind, key);
    }

    private IReadOnlyList<Route> RoutesOf(string kind, ResourceKey key) =>
        _routes.ByIndex(Indexes.ByOrigin, RouteOrigin.KeyOf(kind, key.Namespace, key.Name));
}
