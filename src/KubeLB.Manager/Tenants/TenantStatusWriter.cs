using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Writes the statuses of objects that tenants write. A tenant can change them at any rate, so the rate of the writes is limited; the last
/// status is always written.
/// </summary>
internal sealed class TenantStatusWriter([FromKeyedServices(ManagementCluster.Name)] Cluster management, Applier applier, TimeProvider time)
{
    /// <summary>The limit of an object: one change of a Route results in two or three writes.</summary>
    public static readonly WriteLimit PerObject = new(10, TimeSpan.FromSeconds(1));

    /// <summary>The limit of a tenant, sufficient for the first statuses of 1,000 Routes.</summary>
    public static readonly WriteLimit PerTenant = new(1_000, TimeSpan.FromMilliseconds(50));

    private readonly WriteRate _rate = new(time, PerObject, PerTenant);

    /// <summary>Writes a status, if it differs.</summary>
    /// <param name="current">The cached object.</param>
    /// <param name="status">The value of <c>.status</c>.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The result; or, if the write is delayed, the time after which the object must be reconciled again.</returns>
    public async Task<(Applied<T>? Written, TimeSpan? Delay)> WriteAsync<T>(T current, JsonNode status, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ResourceKey.Of(current);
        if (Applier.IsStatusApplied(current, status))
        {
            Forget<T>(key);
            return (new Applied<T>(current, ApplyOutcome.Unchanged), null);
        }

        return _rate.TimeLeft(typeof(T).Name, key) is { } left
            ? (null, left)
            : (await applier.ApplyStatusAsync(management, current, status, cancellationToken).ConfigureAwait(false), null);
    }

    /// <summary>Removes the state of a deleted object.</summary>
    public void Forget<T>(ResourceKey key) => _rate.Forget(typeof(T).Name, key);
}
