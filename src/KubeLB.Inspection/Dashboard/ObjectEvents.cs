using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Inspection.Dashboard;

/// <summary>An Event.</summary>
internal sealed record EventView(
    string Cluster,
    string Object,
    string Type,
    string Reason,
    string Message,
    int Count,
    DateTimeOffset? Time
);

/// <summary>The Events of an object and its Route.</summary>
/// <param name="Events">The latest first.</param>
/// <param name="Problems">What could not be read.</param>
internal sealed record EventList(IReadOnlyList<EventView> Events, IReadOnlyList<string> Problems);

/// <summary>
/// Reads the Events of a selected object. They are not cached: a cluster has many, and the API server finds those of an object.
/// </summary>
internal sealed class ObjectEvents(DashboardClusters clusters, TraceViews traces)
{
    private const int MaxEvents = 100;
    private const int MaxMessage = 1024;

    /// <summary>Reads the Events.</summary>
    public async Task<EventList> ReadAsync(ObjectSelection selection, CancellationToken cancellationToken)
    {
        var reads = new List<Task<(IReadOnlyList<EventView> Events, string? Problem)>>();
        if (selection.Kind is Gateway.KindName or HttpRoute.KindName or GrpcRoute.KindName)
        {
            var tenantNamespace = selection.Tenant is { Length: > 0 } tenant ? TenantNames.Namespace(tenant) : null;
            if (clusters.TenantOf(tenantNamespace) is { } cluster)
            {
                reads.Add(ReadAsync(cluster.Cluster, "tenant", selection.Kind, selection.Namespace, selection.Name, cancellationToken));
            }
        }

        if (clusters.ManagementCluster is { } management)
        {
            if (selection.Kind == Tenant.KindName)
            {
                reads.Add(ReadAsync(management, "management", Tenant.KindName, "", selection.Name, cancellationToken));
            }
            else if (RouteOf(selection) is { } copy)
            {
                reads.Add(ReadAsync(management, "management", Route.KindName, copy.Namespace, copy.Name, cancellationToken));
            }
        }

        var read = await Task.WhenAll(reads).ConfigureAwait(false);
        return new EventList(
            [.. read.SelectMany(r => r.Events).OrderByDescending(e => e.Time).Take(MaxEvents)],
            [.. read.Select(r => r.Problem).OfType<string>()]
        );
    }

    private HopObject? RouteOf(ObjectSelection selection)
    {
        try
        {
            return traces
                .Trace(selection)
                .SelectMany(t => t.Hops)
                .Select(h => h.Subject)
                .FirstOrDefault(s => s is { Kind: Route.KindName, Cluster: "management" });
        }
        catch (InspectionException)
        {
            return null;
        }
    }

    private static async Task<(IReadOnlyList<EventView> Events, string? Problem)> ReadAsync(
        Cluster cluster,
        string side,
        string kind,
        string @namespace,
        string name,
        CancellationToken cancellationToken
    )
    {
        var query = new ListQuery
        {
            Namespace = @namespace,
            FieldSelector = $"involvedObject.kind={kind},involvedObject.name={name}",
            Limit = MaxEvents,
        };
        var (found, problem) = await ClusterObjects
            .TryAsync<Corev1Event, IReadOnlyList<Corev1Event>>(
                cluster.Name,
                "list",
                async cancel => (await cluster.Client<Corev1Event>().ListAsync(query, cancel).ConfigureAwait(false)).Items,
                cancellationToken
            )
            .ConfigureAwait(false);
        return ([.. (found ?? []).Select(e => View(side, e))], problem);
    }

    private static EventView View(string cluster, Corev1Event e) =>
        new(
            cluster,
            $"{e.InvolvedObject?.Kind} {e.InvolvedObject?.Name}",
            e.Type ?? "",
            e.Reason ?? "",
            MessageText.Message(e.Message ?? "", MaxMessage),
            e.Count ?? 1,
            (e.LastTimestamp ?? e.EventTime ?? e.Metadata.CreationTimestamp)?.ToUniversalTime()
        );
}
