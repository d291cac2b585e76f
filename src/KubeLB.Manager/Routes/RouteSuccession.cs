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
/// An object that a tenant deletes and creates again has two Routes for a moment: one that is being deleted, and its successor. The
/// successor inherits what was generated under the names that it has, so that clients keep the address and Envoy Gateway its configuration.
/// </summary>
internal sealed class RouteSuccession(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TenantSettingsResolver settings,
    ManagerOptions options,
    TimeProvider time
)
{
    private readonly DelayTracker _stages = new(time);

    // A tenant that exchanges successors begins stages again, but not this.
    private readonly DelayTracker _whole = new(time);

    /// <summary>The Route for the same object of the tenant that is not being deleted; null if there is none.</summary>
    /// <param name="routes">The Routes.</param>
    /// <param name="deleted">A Route that is being deleted.</param>
    public static Route? SuccessorOf(IInformer<Route> routes, Route deleted) =>
        RouteOrigin.Of(deleted) is { } origin
            ? routes
                .ByIndex(Indexes.ByOrigin, Indexes.OriginKey(deleted.Namespace, origin.Kind, origin.Namespace, origin.Name))
                .FirstOrDefault(r => r.Metadata.DeletionTimestamp is null)
            : null;

    /// <summary>
    /// UID of the Route that an object belongs to: of its owner, of a Route that was recreated under its owner's name, or of the successor
    /// of one that is being deleted.
    /// </summary>
    public static string? HolderOf(IInformer<Route> routes, IKubernetesObject<V1ObjectMeta> generated)
    {
        if (Indexes.OwnerOf(generated) is not { } owner || routes.Get(generated.Metadata.NamespaceProperty, owner.Name) is not { } named)
        {
            return Indexes.OwnerOf(generated)?.Uid;
        }

        return named.Metadata.DeletionTimestamp is null ? named.Metadata.Uid : SuccessorOf(routes, named)?.Metadata.Uid ?? owner.Uid;
    }

    /// <summary>How long what was generated from a Route that is being deleted stays for its successor; null if it is to go now.</summary>
    public TimeSpan? TimeLeft(Route deleted)
    {
        var key = ResourceKey.Of(deleted);
        if (
            settings.TenantOf(deleted.Namespace) is not { Metadata.DeletionTimestamp: null }
            || _whole.Left(key, "", Delays.Inheritance + options.ServiceDrain) is null
        )
        {
            return null;
        }

        if (SuccessorOf(management.Informer<Route>(), deleted) is null)
        {
            return HasGenerated(deleted) || HasServices(deleted) ? _stages.Left(key, "successor", options.ReplacementTime) : null;
        }

        // Services that the successor does not inherit leave after Envoy Gateway had time to turn away from them.
        return HasGenerated(deleted) ? _stages.Left(key, "inheritance", Delays.Inheritance)
            : HasServices(deleted) ? _stages.Left(key, "services", options.ServiceDrain)
            : null;
    }

    /// <summary>The Route is gone.</summary>
    public void Forget(ResourceKey route)
    {
        _stages.End(route);
        _whole.End(route);
    }

    private bool HasGenerated(Route route) => Has<Gateway>(route) || Has<HttpRoute>(route) || Has<GrpcRoute>(route);

    private bool HasServices(Route route) => Has<V1Service>(route);

    private bool Has<T>(Route route)
        where T : class, IKubernetesObject<V1ObjectMeta> => management.Informer<T>().ByIndex(Indexes.ByOwner, route.Metadata.Uid).Count > 0;
}
