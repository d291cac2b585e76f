using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Gives a tenant's CCM access to the management cluster: ServiceAccount, Role, RoleBinding, token, and a Secret with the kubeconfig, which
/// is updated when the token, the certificate authority or the URL changes.
/// </summary>
internal sealed class TenantAccess(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    ManagerOptions options,
    TokenRotation tokens,
    Applier applier
)
{
    /// <summary>Namespace of the API server's Service and EndpointSlice.</summary>
    public const string ApiServerNamespace = "default";

    private readonly IInformer<Config> _configs = management.Informer<Config>();
    private readonly IInformer<V1ConfigMap> _configMaps = management.Informer<V1ConfigMap>();
    private readonly IInformer<V1EndpointSlice> _slices = management.Informer<V1EndpointSlice>();
    private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();
    private readonly IInformer<V1RoleBinding> _bindings = management.Informer<V1RoleBinding>();

    /// <summary>Grants access; the result reports whether the setup is complete, pending or failed.</summary>
    public async Task<TenantProgress> GrantAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        var tenantNamespace = TenantNames.Namespace(tenant.Name);
        var account = await tokens.ApplyAccountAsync(tenant, cancellationToken).ConfigureAwait(false);
        var config = _configs.Get(options.Namespace, Config.DefaultName);
        await applier
            .ApplyAsync(management, TenantObjects.Role(tenant, config?.Spec?.GoCompatibility ?? true), cancellationToken)
            .ConfigureAwait(false);
        await applier.ApplyAsync(management, TenantObjects.RoleBinding(tenant), cancellationToken).ConfigureAwait(false);

        var desired = TenantObjects.Token(tenant, tokens.SecretOf(tenantNamespace));
        if (_secrets.Get(ResourceKey.Of(desired)) is { } present && present.Type != TenantObjects.TokenType)
        {
            return TenantProgress.Failed(
                TenantReasons.TokenSecretConflict,
                Messages.TokenSecretConflict(ResourceKey.Of(present).ToString(), present.Type)
            );
        }

        var token = (await applier.ApplyAsync(management, desired, cancellationToken).ConfigureAwait(false)).Object;
        if (TokenSecret.TokenOf(token) is not { } bearer)
        {
            // During a rotation, the previous token is valid.
            return tokens.PreviousOf(tenantNamespace).Any(s => TokenSecret.TokenOf(s) is not null)
                ? TenantProgress.Ready
                : TenantProgress.Pending(TenantReasons.WaitingForToken, Messages.WaitingForToken(ResourceKey.Of(token).ToString()));
        }

        if (!TokenSecret.BelongsTo(token, account))
        {
            // The token controller deletes the Secret of a deleted account, unless its UID annotation is missing. The deletion enqueues
            // this key.
            if (!TokenSecret.IsTracked(token) && token.Metadata.DeletionTimestamp is null)
            {
                await applier.DeleteAsync(management, token, cancellationToken).ConfigureAwait(false);
            }

            return TenantProgress.Pending(TenantReasons.WaitingForToken, Messages.TokenOfDeletedAccount(ResourceKey.Of(token).ToString()));
        }

        var url = ServerUrl.Find(
            $"{options.Namespace}/{Config.DefaultName}",
            config,
            ClusterInfo.Server(_configMaps.Get(ServerUrl.ClusterInfoNamespace, ServerUrl.ClusterInfoName)),
            [.. _slices.List().Where(s => s.Namespace() == ApiServerNamespace)]
        );
        if (url.Url is null)
        {
            return TenantProgress.Failed(TenantReasons.NoServerUrl, url.Problem!);
        }

        var authority = token.Data.TryGetValue("ca.crt", out var pem) ? pem : [];
        var kubeconfig =
            KubeconfigSecret.Present(_secrets.Get(tenantNamespace, TenantNames.KubeconfigSecret), url.Url, authority, bearer)
            ?? CcmKubeconfig.Write(url.Url, authority, TenantNames.Ccm, bearer, tenantNamespace);
        await applier.ApplyAsync(management, TenantObjects.Kubeconfig(tenant, kubeconfig), cancellationToken).ConfigureAwait(false);
        await tokens.RevokePreviousAsync(tenantNamespace, cancellationToken).ConfigureAwait(false);
        return TenantProgress.Ready;
    }

    /// <summary>Revokes the access, so that the CCM recreates nothing while the tenant is removed.</summary>
    public async Task RevokeAsync(string tenantNamespace, CancellationToken cancellationToken)
    {
        if (_bindings.Get(tenantNamespace, TenantNames.Ccm) is { Metadata.DeletionTimestamp: null } binding)
        {
            await applier.DeleteAsync(management, binding, cancellationToken).ConfigureAwait(false);
        }

        if (_secrets.Get(tenantNamespace, TenantNames.KubeconfigSecret) is { Metadata.DeletionTimestamp: null } kubeconfig)
        {
            await applier.DeleteAsync(management, kubeconfig, cancellationToken).ConfigureAwait(false);
        }

        await tokens.RevokeAsync(tenantNamespace, cancellationToken).ConfigureAwait(false);
    }
}
