using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Routes;

/// <summary>
/// A source object that a tenant deletes and recreates has two Routes for a short time: one that is being deleted, and its successor. The
/// successor adopts the generated objects, so that addresses and Envoy Gateway's configuration do not change.
/// </summary>
internal sealed class RouteSuccession(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    ManagerOptions options,
    TimeProvider time
)
{
    private readonly DelayTracker _stages = new(time);

    // Limits the total time, since a stage begins again with each new successor.
    private readonly DelayTracker _total = new(time);

    /// <summary>The Route for the same source object that is not being deleted; null if it does not exist.</summary>
    /// <param name="routes">The Routes.</param>
    /// <param name="deleted">A Route that is being deleted.</param>
    public static Route? SuccessorOf(IInformer<Route> routes, Route deleted) =>
        RouteOrigin.Of(deleted) is { } origin
            ? routes
                .ByIndex(Indexes.ByOrigin, Indexes.OriginKey(deleted.Namespace, origin.Kind, origin.Namespace, origin.Name))
                .FirstOrDefault(r => r.Metadata.DeletionTimestamp is null)
            : null;

    /// <summary>
    /// UID of the Route that an object belongs to: its owner, a Route recreated with its owner's name, or the successor of an owner that is
    /// being deleted.
    /// </summary>
    public static string? HolderOf(IInformer<Route> routes, IKubernetesObject<V1ObjectMeta> generated)
    {
        if (Indexes.OwnerOf(generated) is not { } owner || routes.Get(generated.Metadata.NamespaceProperty, owner.Name) is not { } named)
        {
            return Indexes.OwnerOf(generated)?.Uid;
        }

        return named.Metadata.DeletionTimestamp is null ? named.Metadata.Uid : SuccessorOf(routes, named)?.Metadata.Uid ?? owner.Uid;
    }

    /// <summary>How long objects of a Route that is being deleted are kept for its successor; null to delete them now.</summary>
    public TimeSpan? TimeLeft(Route deleted)
    {
        var key = ResourceKey.Of(deleted);
        if (
            settings.TenantOf(deleted.Namespace) is not { Metadata.DeletionTimestamp: null }
            || _total.Left(key, "", Delays.Inheritance + options.ServiceDrain) is null
        )
        {
            return null;
        }

        if (SuccessorOf(management.Informer<Route>(), deleted) is null)
        {
            return HasGenerated(deleted) || HasServices(deleted) ? _stages.Left(key, "successor", options.ReplacementTime) : null;
        }

        // Services that the successor does not adopt are deleted after a delay, in which Envoy Gateway applies the new route.
        return HasGenerated(deleted) ? _stages.Left(key, "inheritance", Delays.Inheritance)
            : HasServices(deleted) ? _stages.Left(key, "services", options.ServiceDrain)
            : null;
    }

    /// <summary>Removes the state of a deleted Route.</summary>
    public void Forget(ResourceKey route)
    {
        _stages.End(route);
        _total.End(route);
    }

    private bool HasGenerated(Route route) => Has<Gateway>(route) || Has<HttpRoute>(route) || Has<GrpcRoute>(route);

    private bool HasServices(Route route) => Has<V1Service>(route);

    private bool Has<T>(Route route)
        where T : class, IKubernetesObject<V1ObjectMeta> => management.Informer<T>().ByIndex(Indexes.ByOwner, route.Metadata.Uid).Count > 0;
}
