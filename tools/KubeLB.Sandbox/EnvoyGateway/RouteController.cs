using System.Collections.Concurrent;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Writes the status of routes. Routes are served by their Gateways.</summary>
internal sealed class RouteController<T>(
    [FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster,
    Applier applier,
    ClusterView view,
    ServedRoutes served,
    TimeProvider time
) : IReconciler
    where T : class, IGatewayRoute
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    // Limits the wait for a Gateway whose ports cannot be opened.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    private readonly DelayTracker _delays = new(time);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var route = cluster.Informer<T>().Get(key);
        if (route is null || route.Metadata.DeletionTimestamp is not null)
        {
            _delays.End(key);
            return ReconcileResult.Done;
        }

        // Serve before writing the status, as for Gateways: the manager removes the old backend when it reads the status.
        var evaluation = view.Route(route);
        if (!served.Has(evaluation) && _delays.Left(key, $"{route.Metadata.Uid}/{route.Metadata.Generation}", MaxWait) is not null)
        {
            return ReconcileResult.RequeueAfter(PollInterval);
        }

        var status = StatusWriter.Route(served.WithOverlaps(evaluation), DateTimeOffset.UtcNow);
        if (status.Parents.Count > 0 || route.Status is { Parents.Count: > 0 })
        {
            await applier.ApplyStatusAsync(cluster, route, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}

/// <summary>
/// The served generation of each route by Gateway: a route's status is written when its Gateways serve the current generation. Also the
/// overlapping routes of each Gateway, because a route's status depends on the others.
/// </summary>
internal sealed class ServedRoutes
{
    private readonly ConcurrentDictionary<ResourceKey, Overlaps> _overlaps = new();

    private readonly ConcurrentDictionary<ResourceKey, Dictionary<string, (string Uid, long? Generation)>> _byGateway = new();

    /// <summary>Kind and key of a route whose overlap with others changed.</summary>
    public event Action<string, ResourceKey>? OverlapChanged;

    /// <summary>Sets the served routes of a Gateway.</summary>
    public void Set(GatewayEvaluation gateway, IReadOnlyList<RouteEvaluation> routes)
    {
        SetOverlaps(gateway.Key, RouteOverlaps.Of(gateway, routes));
        _byGateway[gateway.Key] = routes.ToDictionary(
            r => KeyOf(r.Route),
            r => (r.Route.Metadata.Uid, r.Route.Metadata.Generation),
            StringComparer.Ordinal
        );
    }

    /// <summary>Removes a Gateway.</summary>
    public void Remove(ResourceKey gateway)
    {
        _byGateway.TryRemove(gateway, out _);
        SetOverlaps(gateway, Overlaps.None);
    }

    /// <summary>A route with its overlaps with other routes.</summary>
    public RouteEvaluation WithOverlaps(RouteEvaluation route) =>
        route with
        {
            Parents =
            [
                .. route.Parents.Select(
                    (parent, index) =>
                        OverlapOf(route.Route, parent, index) is { } finding
                            ? parent with
                            {
                                Findings = [.. parent.Findings, finding],
                            }
                            : parent
                ),
            ],
        };

    /// <summary>Whether all Gateways of a route serve its current generation.</summary>
    public bool Has(RouteEvaluation route) =>
        route
            .Parents.Where(p => p.IsAccepted)
            .SelectMany(p => p.Attachments)
            .Select(a => a.Gateway)
            .Distinct()
            .All(gateway =>
                _byGateway.TryGetValue(gateway, out var routes)
                && routes.TryGetValue(KeyOf(route.Route), out var served)
                && served.Uid == route.Route.Metadata.Uid
                && served.Generation >= route.Route.Metadata.Generation
            );

    private Finding? OverlapOf(IGatewayRoute route, ParentEvaluation parent, int index) =>
        parent.IsAccepted && _overlaps.TryGetValue(RouteEvaluator.GatewayOf(route, parent.Parent), out var overlaps)
            ? overlaps.Find(route, index)
            : null;

    private void SetOverlaps(ResourceKey gateway, Overlaps overlaps)
    {
        var before = _overlaps.GetValueOrDefault(gateway, Overlaps.None);
        _overlaps[gateway] = overlaps;
        foreach (var (kind, route) in overlaps.ChangedSince(before))
        {
            OverlapChanged?.Invoke(kind, route);
        }
    }

    private static string KeyOf(IGatewayRoute route) => $"{route.Kind}/{route.Metadata.NamespaceProperty}/{route.Metadata.Name}";
}
