using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Rotates the token of a tenant's CCM when annotation <see cref="Annotations.RotateToken"/> of the Tenant has a new value: the kubeconfig
/// gets the token of another Secret, and the Secrets with previous tokens are deleted when the CCM reports the new one (ADR 40). The
/// current Secret and the last handled value are annotations of the ServiceAccount, on which all tokens depend.
/// </summary>
internal sealed class TokenRotation([FromKeyedServices(ManagementCluster.Name)] Cluster management, Applier applier)
{
    private readonly IInformer<V1ServiceAccount> _accounts = management.Informer<V1ServiceAccount>();
    private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();

    /// <summary>Writes the ServiceAccount, and starts a rotation if the annotation of the Tenant has a new value.</summary>
    public async Task<V1ServiceAccount> ApplyAccountAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        var @namespace = TenantNames.Namespace(tenant.Name);
        var (secret, handled) = StateOf(@namespace);
        if (
            tenant.Metadata.Annotations?.TryGetValue(Annotations.RotateToken, out var rotation) == true
            && !string.IsNullOrEmpty(rotation)
            && rotation != handled
        )
        {
            var uid = await LabelAsync(tenant, secret, cancellationToken).ConfigureAwait(false);
            (secret, handled) = (TenantNames.RotatedToken(secret, uid, rotation), rotation);
        }

        var desired = TenantObjects.ServiceAccount(tenant);
        if (handled is not null)
        {
            desired.Metadata.Annotations = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [Annotations.TokenSecret] = secret,
                [Annotations.RotatedFor] = handled,
            };
        }

        return (await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false)).Object;
    }

    /// <summary>Name of the Secret with the token in the kubeconfig.</summary>
    public string SecretOf(string tenantNamespace) => StateOf(tenantNamespace).Secret;

    /// <summary>The Secrets with previous tokens, which are valid as long as the Secrets exist.</summary>
    public IReadOnlyList<V1Secret> PreviousOf(string tenantNamespace)
    {
        var current = SecretOf(tenantNamespace);
        return [.. All(tenantNamespace).Where(s => s.Name() != current).OrderBy(s => s.Name(), StringComparer.Ordinal)];
    }

    /// <summary>Deletes all tokens.</summary>
    public Task RevokeAsync(string tenantNamespace, CancellationToken cancellationToken) =>
        DeleteAsync(All(tenantNamespace), cancellationToken);

    /// <summary>
    /// Deletes previous tokens if the CCM reports the current one. A tenant that forges the report revokes its own token.
    /// </summary>
    public async Task RevokePreviousAsync(string tenantNamespace, CancellationToken cancellationToken)
    {
        if (CcmAnnotations.CcmTokenOf(_addresses.Get(tenantNamespace, Addresses.DefaultName)) == SecretOf(tenantNamespace))
        {
            await DeleteAsync(PreviousOf(tenantNamespace), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Adds condition <see cref="TenantTokenConditions.TokenRotated"/> while a previous token is valid.</summary>
    public void SetCondition(ConditionSet conditions, Tenant tenant, CcmReport report)
    {
        var @namespace = TenantNames.Namespace(tenant.Name);
        if (tenant.Metadata.DeletionTimestamp is not null || PreviousOf(@namespace) is not { Count: > 0 } previous)
        {
            return;
        }

        var reported = CcmAnnotations.CcmTokenOf(_addresses.Get(@namespace, Addresses.DefaultName));
        var names = string.Join(' ', previous.Select(s => s.Name()));
        var message =
            report.NotSeen is not null ? Messages.TokenOfMissingCcm(@namespace, names)
            : previous.Any(s => s.Name() == reported) ? Messages.PreviousTokenInUse(@namespace, reported!)
            : Messages.TokenNotReported(@namespace, names);
        conditions.Set(
            TenantTokenConditions.TokenRotated,
            ConditionStatus.False,
            TenantTokenConditions.WaitingForCcm,
            message,
            tenant.Metadata.Generation
        );
    }

    private (string Secret, string? Handled) StateOf(string tenantNamespace)
    {
        var annotations = _accounts.Get(tenantNamespace, TenantNames.Ccm)?.Metadata.Annotations;
        return (
            annotations?.TryGetValue(Annotations.TokenSecret, out var secret) == true && secret.Length > 0 ? secret : TenantNames.Ccm,
            annotations?.TryGetValue(Annotations.RotatedFor, out var handled) == true ? handled : null
        );
    }

    // The Secret of a Go manager has no label by which it is found later. Returns the UID of the Secret; empty if there is none.
    private async Task<string> LabelAsync(Tenant tenant, string name, CancellationToken cancellationToken)
    {
        var desired = TenantObjects.Token(tenant, name);
        var key = ResourceKey.Of(desired);
        var present = _secrets.Get(key) ?? await management.Client<V1Secret>().GetAsync(key, cancellationToken).ConfigureAwait(false);
        if (present?.Type == TenantObjects.TokenType)
        {
            await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false);
        }

        return present?.Uid() ?? "";
    }

    private async Task DeleteAsync(IEnumerable<V1Secret> secrets, CancellationToken cancellationToken)
    {
        foreach (var secret in secrets.Where(s => s.Metadata.DeletionTimestamp is null))
        {
            await applier.DeleteAsync(management, secret, cancellationToken).ConfigureAwait(false);
        }
    }

    private IReadOnlyList<V1Secret> All(string tenantNamespace) => _secrets.ByIndex(Indexes.ByToken, tenantNamespace);
}
