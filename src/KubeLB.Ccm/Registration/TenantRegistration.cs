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
/// Whether the management cluster takes what this tenant carries there. Says so in <c>/readyz</c> and, once per change, in the log.
/// </summary>
internal sealed class TenantRegistration(
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    Applier applier,
    TenantSettings settings,
    TimeProvider time,
    ILogger<TenantRegistration> logger
) : IReadinessCheck
{
    /// <summary>
    /// How long a refusal of a kind for the whole tenant stands for all objects of the kind: one request instead of one for each.
    /// </summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Type, (ManagementRejection Refusal, long At)> _refused = new();
    private string? _problem;

    public string Name => $"tenant {settings.TenantNamespace}";

    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>
    /// Applies an object in the tenant's namespace. An object that is not there and cannot be created is a refusal, not an exception;
    /// one that is there stands as it is while it cannot be changed, and every other failure is thrown.
    /// </summary>
    public async Task<(Applied<T>? Applied, ManagementRejection? Refusal)> ApplyAsync<T>(T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var isThere = management.Informer<T>().Get(ResourceKey.Of(desired)) is not null;
        if (!isThere && _refused.TryGetValue(typeof(T), out var last) && time.GetElapsedTime(last.At) < Pause)
        {
            return (null, last.Refusal);
        }

        try
        {
            var applied = await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false);
            if (applied.Outcome != ApplyOutcome.Unchanged)
            {
                _refused.Clear();
                if (Interlocked.Exchange(ref _problem, null) is not null)
                {
                    Log.Accepted(logger, settings.TenantNamespace);
                }
            }

            return (applied, null);
        }
        catch (HttpOperationException e)
            when (!isThere && ManagementRejection.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace) is not null)
        {
            var refusal = ManagementRejection.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace)!;
            if (refusal.IsOfTenant)
            {
                _refused[typeof(T)] = (refusal, time.GetTimestamp());
                if (Interlocked.Exchange(ref _problem, refusal.Message) is null)
                {
                    Log.Refused(logger, refusal.Message);
                }
            }

            return (null, refusal);
        }
    }
}
