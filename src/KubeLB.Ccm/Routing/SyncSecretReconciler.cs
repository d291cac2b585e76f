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
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Routing;

/// <summary>
/// Copies Secrets to the management cluster as SyncSecrets while a listener uses them or, with the secret synchronizer, while they are
/// labelled; and copies SyncSecrets that users create. The key is the Secret's. In the tenant's cluster it only removes finalizers that the
/// Go CCM set.
/// </summary>
internal sealed class SyncSecretReconciler(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    TenantRegistration registration,
    Applier applier,
    TenantSettings settings,
    CcmOptions options,
    ILogger<SyncSecretReconciler> logger,
    KindAvailability kinds,
    CertificateUsers? certificates = null
) : IReconciler
{
    private readonly IInformer<V1Secret> _secrets = tenant.Informer<V1Secret>();
    private readonly IInformer<SyncSecret> _userSyncSecrets = tenant.Informer<SyncSecret>();
    private readonly IInformer<SyncSecret> _copies = management.Informer<SyncSecret>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var secret = _secrets.Get(key);
        var userSyncSecret = _userSyncSecrets.Get(key);
        var isNeeded = secret is { Metadata.DeletionTimestamp: null } && IsNeeded(key, secret);
        var desired = isNeeded ? SyncSecretTranslator.Translate(secret!, settings.TenantNamespace) : null;
        if (desired is null && userSyncSecret is { Metadata.DeletionTimestamp: null } && SyncSecretTranslator.IsUserCreated(userSyncSecret))
        {
            isNeeded = true;
            desired = SyncSecretTranslator.Translate(userSyncSecret, settings.TenantNamespace);
        }

        // The copy of a recreated Secret has another name; it is written before the old copy is deleted.
        if (desired is not null && await ApplyAsync(key, desired, cancellationToken).ConfigureAwait(false) is { } retry)
        {
            return retry;
        }

        await RemoveFinalizerAsync(secret, cancellationToken).ConfigureAwait(false);
        await RemoveFinalizerAsync(userSyncSecret, cancellationToken).ConfigureAwait(false);
        if (!await RemoveObsoleteAsync(key, desired?.Name, cancellationToken).ConfigureAwait(false))
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        return isNeeded && desired is null
            ? ReconcileResult.Terminal(
                $"Secret {key} has type {secret?.Type ?? userSyncSecret?.Type}, which is not copied to the management cluster; "
                    + $"supported types: {string.Join(", ", SecretTypes.Supported)}."
            )
            : ReconcileResult.Done;
    }

    private bool IsNeeded(ResourceKey key, V1Secret secret) =>
        (options.EnableSecretSynchronizer && StoredSecret.IsLabelled(secret)) || certificates?.IsUsed(key) == true;

    // Returns null if the SyncSecret was written; otherwise the result of the reconcile.
    private async Task<ReconcileResult?> ApplyAsync(ResourceKey key, SyncSecret desired, CancellationToken cancellationToken)
    {
        try
        {
            var (applied, rejection) = await registration.ApplyAsync(desired, cancellationToken).ConfigureAwait(false);
            if (rejection is not null)
            {
                return rejection.IsOfTenant ? ReconcileResult.RequeueAfter(rejection.RequeueAfter) : Rejected(key);
            }

            if (applied!.Outcome != ApplyOutcome.Unchanged)
            {
                Log.SyncSecretWritten(logger, desired.Name, key, applied.Outcome);
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
            return Rejected(key);
        }
    }

    // Omits the API server's message, which may quote secret data.
    private static ReconcileResult Rejected(ResourceKey key) =>
        ReconcileResult.Retry(
            $"The management cluster rejected the SyncSecret of Secret {key}. Check the keys and the size of the Secret."
        );

    // Returns false if the Secret or Gateways that use it may still exist.
    private async Task<bool> RemoveObsoleteAsync(ResourceKey key, string? desiredName, CancellationToken cancellationToken)
    {
        var obsolete = _copies
            .ByIndex(Indexes.BySecretOrigin, Indexes.Key(key.Namespace, key.Name))
            .Where(s => s.Name != desiredName && s.Metadata.DeletionTimestamp is null)
            .ToList();
        if (obsolete.Count > 0 && await kinds.ProblemAsync(cancellationToken, KindsFor(key)).ConfigureAwait(false) is not null)
        {
            return false;
        }

        foreach (var syncSecret in obsolete)
        {
            await applier.DeleteAsync(management, syncSecret, cancellationToken).ConfigureAwait(false);
            Log.SyncSecretDeleted(logger, syncSecret.Name, key);
        }

        return true;
    }

    private Type[] KindsFor(ResourceKey key) =>
        certificates switch
        {
            null => [typeof(V1Secret)],
            _ when certificates.HasCrossNamespaceUser(key) => [typeof(V1Secret), typeof(Gateway), typeof(ReferenceGrant)],
            _ => [typeof(V1Secret), typeof(Gateway)],
        };

    // The Go CCM sets a finalizer on the Secrets that it synchronizes; after a migration no other component removes it.
    private async Task RemoveFinalizerAsync<T>(T? source, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (source is not null)
        {
            await applier.RemoveFinalizerAsync(tenant, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>Finds the Gateways that use a Secret as certificate, by the index of Gateways by Secret.</summary>
internal sealed class CertificateUsers([FromKeyedServices(ClusterNames.Tenant)] Cluster tenant, ITenantView view, TenantSettings settings)
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    /// <summary>Whether a Gateway of another namespace refers to the Secret, which needs a ReferenceGrant.</summary>
    public bool HasCrossNamespaceUser(ResourceKey secret) =>
        _gateways
            .ByIndex(Indexes.ByCertificate, Indexes.Key(secret.Namespace, secret.Name))
            .Any(gateway => gateway.Namespace != secret.Namespace);

    /// <summary>Whether a listener of a Gateway that KubeLB serves refers to the Secret, and the reference is valid.</summary>
    public bool IsUsed(ResourceKey secret) =>
        _gateways
            .ByIndex(Indexes.ByCertificate, Indexes.Key(secret.Namespace, secret.Name))
            .Any(gateway =>
                gateway.Metadata.DeletionTimestamp is null
                && settings.IsGatewayControllerEnabled
                && GatewayOwnership.Owns(gateway, view, settings)
                && ListenerCertificates
                    .Evaluate(gateway, view)
                    .Any(c => c.Rejection is null && c.Namespace == secret.Namespace && c.Name == secret.Name)
            );
}

/// <summary>
/// Reduces a tenant's Secret to what the cache needs: the data only if it may be copied, and no annotations, since kubectl's last-applied
/// annotation repeats the data.
/// </summary>
internal static class StoredSecret
{
    /// <summary>Excludes Helm releases from the watch: they are large and never referenced.</summary>
    public const string FieldSelector = "type!=helm.sh/release.v1";

    public static V1Secret Reduce(V1Secret secret, bool isSynchronizerEnabled)
    {
        secret.Metadata.Annotations = null;
        secret.StringData = null;
        secret.Data =
            secret.Data is not null && (secret.Type == SecretTypes.Tls || (isSynchronizerEnabled && IsLabelled(secret)))
                ? secret
                    .Data.Where(entry => SecretTypes.IsSynced(secret.Type, entry.Key))
                    .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal)
                : null;
        return secret;
    }

    /// <summary>Whether the Secret is labelled for the secret synchronizer.</summary>
    public static bool IsLabelled(V1Secret secret) =>
        secret.Metadata.Labels?.TryGetValue(Labels.ManagedBy, out var managedBy) == true && managedBy == Labels.ManagedByKubelb;
}
