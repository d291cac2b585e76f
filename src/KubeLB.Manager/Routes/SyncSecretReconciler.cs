using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Generates a Secret from each SyncSecret, in the same namespace, named after the SyncSecret's UID and owned by it. A Secret of that name
/// that was not generated from it is never written. Writes the SyncSecret's status and finalizer.
/// </summary>
internal sealed class SyncSecretReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    Applier applier,
    TenantStatusWriter statuses,
    TimeProvider time,
    ILogger<SyncSecretReconciler> logger
) : IReconciler
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);

    private readonly IInformer<SyncSecret> _syncSecrets = management.Informer<SyncSecret>();
    private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (_syncSecrets.Get(key) is not { } source)
        {
            statuses.Forget<SyncSecret>(key);
            return ReconcileResult.Done;
        }

        if (source.Metadata.DeletionTimestamp is not null)
        {
            if (await RemoveAsync(source, cancellationToken).ConfigureAwait(false))
            {
                await applier.RemoveFinalizerAsync(management, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
            }

            return ReconcileResult.Done;
        }

        source = await applier.EnsureFinalizerAsync(management, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        var problem = await WriteAsync(key, source, cancellationToken).ConfigureAwait(false);
        if (await ReportAsync(source, problem, cancellationToken).ConfigureAwait(false) is { } delay)
        {
            return ReconcileResult.RequeueAfter(delay);
        }

        if (problem is not null && source.Status?.Conditions?.Any(c => c.Message == problem) != true)
        {
            Log.SyncSecretFailed(logger, key, problem);
        }

        // A conflicting Secret may not be watched, so its deletion may not enqueue this key.
        return problem is null ? ReconcileResult.Done : ReconcileResult.RequeueAfter(RetryInterval);
    }

    private async Task<string?> WriteAsync(ResourceKey key, SyncSecret source, CancellationToken cancellationToken)
    {
        var (desired, problem) = SecretCopyTranslator.Translate(source);
        if (desired is null)
        {
            // An invalid SyncSecret must not leave an outdated Secret in use.
            await RemoveAsync(source, cancellationToken).ConfigureAwait(false);
            return problem;
        }

        if (_secrets.Get(desired.Namespace(), desired.Name()) is { } present)
        {
            if (!IsGeneratedFrom(source, present) && await ExistsAsync(present, cancellationToken).ConfigureAwait(false))
            {
                return Messages.SecretConflict(desired.Name());
            }

            if (IsGeneratedFrom(source, present) && present.Type != desired.Type)
            {
                // The type of a Secret is immutable. The deletion of the Secret enqueues this key.
                await applier.DeleteAsync(management, present, cancellationToken).ConfigureAwait(false);
            }
        }

        try
        {
            var applied = await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false);
            if (applied.Outcome != ApplyOutcome.Unchanged)
            {
                Log.SecretWritten(logger, desired.Name(), key, applied.Outcome);
            }

            return null;
        }
        catch (HttpOperationException e)
            when (e.Response?.StatusCode
                    is HttpStatusCode.BadRequest
                        or HttpStatusCode.RequestEntityTooLarge
                        or HttpStatusCode.UnprocessableEntity
            )
        {
            return Messages.SecretRejected((int)e.Response.StatusCode);
        }
    }

    // A Secret without KubeLB's label is not watched; it is in the cache because of an earlier conflict.
    private async Task<bool> ExistsAsync(V1Secret present, CancellationToken cancellationToken)
    {
        if (await management.Client<V1Secret>().GetAsync(ResourceKey.Of(present), cancellationToken).ConfigureAwait(false) is not null)
        {
            return true;
        }

        _secrets.ObserveDeleted(present);
        return false;
    }

    private async Task<bool> RemoveAsync(SyncSecret source, CancellationToken cancellationToken)
    {
        foreach (var secret in _secrets.ByIndex(Indexes.BySyncSecret, source.Metadata.Uid).Where(s => s.Metadata.DeletionTimestamp is null))
        {
            await applier.DeleteAsync(management, secret, cancellationToken).ConfigureAwait(false);
        }

        return _secrets.ByIndex(Indexes.BySyncSecret, source.Metadata.Uid).Count == 0;
    }

    /// <returns>The time for which the status is delayed; null if it is written.</returns>
    private async Task<TimeSpan?> ReportAsync(SyncSecret source, string? problem, CancellationToken cancellationToken)
    {
        var generation = source.Metadata.Generation;
        var conditions = new ConditionSet(source.Status?.Conditions, StatusTime.Of(time.GetUtcNow())).Set(
            SyncSecretConditions.Synced,
            ConditionStatus.Of(problem is null),
            problem is null ? SyncSecretConditions.SyncedPhase : SyncSecretConditions.SyncFailed,
            problem ?? SyncSecretConditions.SuccessMessage,
            generation
        );
        var status = new SyncSecretStatus
        {
            ObservedGeneration = generation,
            Phase = problem is null ? SyncSecretConditions.SyncedPhase : SyncSecretConditions.FailedPhase,
            Conditions = conditions.ToList(),
        };
        return (await statuses.WriteAsync(source, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false)).Delay;
    }

    private static bool IsGeneratedFrom(SyncSecret source, V1Secret secret) => Indexes.SyncSecretOf(secret)?.Uid == source.Metadata.Uid;
}
