using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Secrets;

/// <summary>
/// Carries Secrets to the management cluster as SyncSecrets for as long as they are wanted: because a listener of ours uses them, or, with
/// the secret synchronizer, because they are labelled; and the SyncSecrets that users write themselves. The key is the Secret's. Writes
/// SyncSecrets there; here nothing but the removal of finalizers that an earlier CCM left.
/// </summary>
internal sealed class SyncSecretReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    TenantRegistration registration,
    Applier applier,
    TenantSettings settings,
    CcmOptions options,
    ILogger<SyncSecretReconciler> logger,
    SourceKinds kinds,
    CertificateUsers? certificates = null
) : IReconciler
{
    private readonly IInformer<V1Secret> _secrets = tenant.Informer<V1Secret>();
    private readonly IInformer<SyncSecret> _ofUsers = tenant.Informer<SyncSecret>();
    private readonly IInformer<SyncSecret> _carried = management.Informer<SyncSecret>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var secret = _secrets.Get(key);
        var ofUser = _ofUsers.Get(key);
        var isWanted = secret is { Metadata.DeletionTimestamp: null } && IsWanted(key, secret);
        var desired = isWanted ? SyncSecretTranslator.Translate(secret!, settings.TenantNamespace) : null;
        if (desired is null && ofUser is { Metadata.DeletionTimestamp: null } && SyncSecretTranslator.IsUserCreated(ofUser))
        {
            isWanted = true;
            desired = SyncSecretTranslator.Translate(ofUser, settings.TenantNamespace);
        }

        // The new one comes before the old one goes: a Secret that was created anew has another name over there.
        if (desired is not null && await ApplyAsync(key, desired, cancellationToken).ConfigureAwait(false) is { } later)
        {
            return later;
        }

        await ReleaseAsync(secret, cancellationToken).ConfigureAwait(false);
        await ReleaseAsync(ofUser, cancellationToken).ConfigureAwait(false);
        if (!await RemoveObsoleteAsync(key, desired?.Name, cancellationToken).ConfigureAwait(false))
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        return isWanted && desired is null
            ? ReconcileResult.Terminal(
                $"Secret {key} is of type {secret?.Type ?? ofUser?.Type}, which is never carried; carried are {string.Join(", ", SecretTypes.Supported)}."
            )
            : ReconcileResult.Done;
    }

    private bool IsWanted(ResourceKey key, V1Secret secret) =>
        (options.EnableSecretSynchronizer && StoredSecret.IsLabelled(secret)) || certificates?.Use(key) == true;

    // When to try again; null if it is there.
    private async Task<ReconcileResult?> ApplyAsync(ResourceKey key, SyncSecret desired, CancellationToken cancellationToken)
    {
        try
        {
            var (applied, refusal) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
            if (refusal is not null)
            {
                return refusal.IsOfTenant ? ReconcileResult.RequeueAfter(refusal.Pause) : Refused(key);
            }

            if (applied!.Outcome != ApplyOutcome.Unchanged)
            {
                Log.Written(logger, desired.Name, key, applied.Outcome);
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
            return Refused(key);
        }
    }

    // Not the API server's own words, which might quote what it refuses.
    private static ReconcileResult Refused(ResourceKey key) =>
        ReconcileResult.Retry($"The management cluster refuses the SyncSecret of Secret {key}; check the keys and the size of the Secret.");

    // False while the Gateways that use it may exist although they are missing.
    private async Task<bool> RemoveObsoleteAsync(ResourceKey key, string? wanted, CancellationToken cancellationToken)
    {
        var obsolete = _carried
            .ByIndex(ReferenceIndexes.BySecretOrigin, Indexes.Key(key.Namespace, key.Name))
            .Where(s => s.Name != wanted && s.Metadata.DeletionTimestamp is null)
            .ToList();
        if (obsolete.Count > 0 && await kinds.ProblemAsync(cancellationToken, NeedsToRemove(key)).ConfigureAwait(false) is not null)
        {
            return false;
        }

        foreach (var syncSecret in obsolete)
        {
            await applier.DeleteAsync(management, syncSecret, cancellationToken).ConfigureAwait(false);
            Log.Deleted(logger, syncSecret.Name, key);
        }

        return true;
    }

    private Type[] NeedsToRemove(ResourceKey key) =>
        certificates switch
        {
            null => [typeof(V1Secret)],
            _ when certificates.IsReferredToFromElsewhere(key) => [typeof(V1Secret), typeof(Gateway), typeof(ReferenceGrant)],
            _ => [typeof(V1Secret), typeof(Gateway)],
        };

    // The Go CCM sets a finalizer on what it synchronizes; after a migration no other component removes it.
    private async Task ReleaseAsync<T>(T? source, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (source is not null)
        {
            await applier.RemoveFinalizerAsync(tenant, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }
    }
}
