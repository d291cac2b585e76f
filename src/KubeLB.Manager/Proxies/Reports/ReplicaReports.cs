using System.Runtime.CompilerServices;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>What all replicas say of their proxies, from the cache of their Leases.</summary>
internal sealed class ReplicaReports([FromKeyedServices(ManagementCluster.Name)] Cluster management)
{
    private readonly IInformer<V1Lease> _leases = management.Informer<V1Lease>();

    // Objects in the cache never change; a change puts another one in their place.
    private readonly ConditionalWeakTable<V1Lease, ReplicaReport> _read = [];

    /// <summary>What a proxy refuses of a Route; null if nothing that is known.</summary>
    public ProxyRejection? RejectionOf(ResourceKey route) => _leases.List()
        .OrderBy(l => l.Name(), StringComparer.Ordinal)
        .Select(l => Of(l).Rejections.GetValueOrDefault(route))
        .FirstOrDefault(r => r is not null);

    /// <summary>The report in a Lease.</summary>
    public ReplicaReport Of(V1Lease lease) => _read.GetValue(lease, static l => ReplicaReport.Read(Text(l)));

    /// <summary>The Routes of which a report says something else than before.</summary>
    public IEnumerable<ResourceKey> RoutesOf(Change<V1Lease> change)
    {
        if (change is { Old: { } same, New: { } renewed } && Text(same) == Text(renewed))
        {
            return [];
        }

        var before = change.Old is { } old ? Of(old).Rejections : ReplicaReport.Empty.Rejections;
        var after = change.New is { } now ? Of(now).Rejections : ReplicaReport.Empty.Rejections;
        return before.Keys.Union(after.Keys).Where(route => before.GetValueOrDefault(route) != after.GetValueOrDefault(route)).ToList();
    }

    private static string? Text(V1Lease lease) => lease.Metadata.Annotations?.TryGetValue(ReportLease.Annotation, out var text) == true ? text : null;
}
