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
    ILogger<TenantRegistration> logger) : IReadinessCheck
{
    private string? _problem;

    public string Name => $"tenant {settings.TenantNamespace}";

    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>
    /// Applies an object in the tenant's namespace. An object that is not there and cannot be created is a refusal, not an exception;
    /// one that is there stands as it is while it cannot be changed, and every other failure is thrown.
    /// </summary>
    public async Task<(Applied<T>? Applied, ManagementRefusal? Refusal)> ApplyAsync<T>(T desired, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            var applied = await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false);
            if (applied.Outcome != ApplyOutcome.Unchanged && Interlocked.Exchange(ref _problem, null) is not null)
            {
                Log.Accepted(logger, settings.TenantNamespace);
            }

            return (applied, null);
        }
        catch (HttpOperationException e) when (
            management.Informer<T>().Get(ResourceKey.Of(desired)) is null
            && ManagementRefusal.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace) is not null)
        {
            var refusal = ManagementRefusal.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace)!;
            if (refusal.IsOfTenant && Interlocked.Exchange(ref _problem, refusal.Message) is null)
            {
                Log.Refused(logger, refusal.Message);
            }

            return (null, refusal);
        }
    }
}
