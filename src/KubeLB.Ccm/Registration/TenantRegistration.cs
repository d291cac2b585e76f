using System.Collections.Concurrent;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// Writes objects to the tenant's namespace in the management cluster. Reports in <c>/readyz</c>, and once per change in the log, whether
/// the management cluster accepts them.
/// </summary>
internal sealed class TenantRegistration(
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    Applier applier,
    TenantSettings settings,
    TimeProvider time,
    ILogger<TenantRegistration> logger
) : IReadinessCheck
{
    /// <summary>How long a rejection of all objects of a kind is reused, instead of one request per object.</summary>
    public static readonly TimeSpan RequeueAfter = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Type, (ManagementRejection Rejection, long At)> _rejections = new();
    private string? _problem;

    public string Name => $"tenant {settings.TenantNamespace}";

    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>
    /// Applies an object in the tenant's namespace. Returns a rejection if the object cannot be created; every other failure, also of an
    /// update, is thrown.
    /// </summary>
    public async Task<(Applied<T>? Applied, ManagementRejection? Rejection)> ApplyAsync<T>(T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var exists = management.Informer<T>().Get(ResourceKey.Of(desired)) is not null;
        if (!exists && _rejections.TryGetValue(typeof(T), out var last) && time.GetElapsedTime(last.At) < RequeueAfter)
        {
            return (null, last.Rejection);
        }

        try
        {
            var applied = await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false);
            if (applied.Outcome != ApplyOutcome.Unchanged)
            {
                _rejections.Clear();
                if (Interlocked.Exchange(ref _problem, null) is not null)
                {
                    Log.ManagementClusterAccepted(logger, settings.TenantNamespace);
                }
            }

            return (applied, null);
        }
        catch (HttpOperationException e)
            when (!exists && ManagementRejection.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace) is not null)
        {
            var rejection = ManagementRejection.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace)!;
            if (rejection.IsOfTenant)
            {
                _rejections[typeof(T)] = (rejection, time.GetTimestamp());
                if (Interlocked.Exchange(ref _problem, rejection.Message) is null)
                {
                    Log.ManagementClusterRejected(logger, rejection.Message);
                }
            }

            return (null, rejection);
        }
    }
}
