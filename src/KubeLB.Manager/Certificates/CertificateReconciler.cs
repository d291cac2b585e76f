using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Certificates;

/// <summary>
/// Issues and renews the certificates of xDS, each in a Secret: the authority, the server's certificate, and one for the proxies of each
/// tenant. All are renewed well before they expire. The key is the Secret's.
/// </summary>
internal sealed class CertificateReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    ManagerOptions options,
    TenantSettingsResolver tenants,
    Applier applier,
    TimeProvider time,
    ILogger<CertificateReconciler> logger
) : IReconciler
{
    private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();
    private readonly IInformer<V1Namespace> _namespaces = management.Informer<V1Namespace>();

    public static void AddController(IServiceCollection services, ManagerOptions options) =>
        services.AddController<CertificateReconciler>(
            "certificate",
            controller =>
            {
                var authority = new ResourceKey(options.Namespace, CertificateSecrets.Authority);
                var server = new ResourceKey(options.Namespace, CertificateSecrets.Server);
                controller.Watch<V1Secret>(
                    ManagementCluster.Name,
                    services =>
                    {
                        var namespaces = services.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<V1Namespace>();
                        return (V1Secret secret) =>
                            ResourceKey.Of(secret) switch
                            {
                                var key when key == authority => [key, server, .. namespaces.List().Select(n => ClientOf(n.Name()))],
                                var key when key == server || key.Name == CertificateSecrets.Client => [key],
                                _ => [],
                            };
                    }
                );

                controller.Watch<V1Namespace>(ManagementCluster.Name, _ => (V1Namespace @namespace) => [ClientOf(@namespace.Name())]);
                controller.Watch<Tenant>(
                    ManagementCluster.Name,
                    _ => (Tenant tenant) => [authority, server, ClientOf(TenantNames.Namespace(tenant.Name))]
                );

                // Without Tenants and Secrets no event enqueues these keys, and the manager is not ready without a certificate.
                controller.Source(
                    (_, enqueue) =>
                    {
                        enqueue(authority);
                        enqueue(server);
                        return new SourceSubscription();
                    }
                );
            }
        );

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var stored = CertificateSecrets.ReadAuthority(_secrets.Get(options.Namespace, CertificateSecrets.Authority));
        if (key == new ResourceKey(options.Namespace, CertificateSecrets.Authority))
        {
            var renewed = XdsAuthority.Renew(stored, time.GetUtcNow());
            if (renewed != stored)
            {
                await applier
                    .ApplyAsync(management, CertificateSecrets.Write(options.Namespace, renewed), cancellationToken)
                    .ConfigureAwait(false);
                Log.AuthorityWritten(
                    logger,
                    stored is null ? "created"
                        : renewed.Next is null ? "replaced"
                        : "next authority added to the trusted ones"
                );
            }

            return ReconcileResult.RequeueAfter(CertificateTimes.CheckInterval);
        }

        if (stored is null)
        {
            // The creation of the authority enqueues this key.
            return ReconcileResult.Done;
        }

        var isServer = key.Namespace == options.Namespace;
        var identity = isServer ? null : IdentityOf(key.Namespace);
        if (!isServer && identity is null)
        {
            return ReconcileResult.Done;
        }

        IReadOnlyList<string> names = identity is null
            ? CertificateSecrets.ServerNames(options.Namespace)
            : [CertificateSecrets.ClientName(identity)];
        await IssueAsync(key, stored, names, isServer, cancellationToken).ConfigureAwait(false);
        return ReconcileResult.RequeueAfter(CertificateTimes.CheckInterval);
    }

    private async Task IssueAsync(
        ResourceKey key,
        XdsAuthority authority,
        IReadOnlyList<string> names,
        bool isServer,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var present = _secrets.Get(key);
        var pair = CertificateSecrets.ReadPair(present);
        var isValid = authority.IsValid(pair, names, isServer ? CertificateIssuer.ServerUsages : CertificateIssuer.ClientUsages, now);
        var hasEnvoyFiles = isServer || CertificateSecrets.HasEnvoyFiles(present, options.Namespace);
        if (isValid && hasEnvoyFiles && CertificateSecrets.ReadTrusted(present) == authority.Trusted)
        {
            return;
        }

        if (!isValid)
        {
            using var signing =
                authority.Signing.Load()
                ?? throw new InvalidOperationException(
                    $"Secret {options.Namespace}/{CertificateSecrets.Authority} does not contain a valid certificate authority."
                );
            pair = isServer
                ? CertificateIssuer.Server(signing, names, now, CertificateTimes.Leaf)
                : CertificateIssuer.Client(signing, names[0], now, CertificateTimes.Leaf);
        }

        var secret = isServer
            ? CertificateSecrets.Write(key.Namespace, key.Name, pair!, authority.Trusted)
            : CertificateSecrets.WriteClient(key.Namespace, pair!, authority.Trusted, options.Namespace);
        await applier.ApplyAsync(management, secret, cancellationToken).ConfigureAwait(false);
        Log.CertificateWritten(logger, key, isValid ? "trusted authorities updated" : "issued");
    }

    // Null for a namespace or Tenant that is being deleted: its proxies need no new certificate.
    private ProxyIdentity? IdentityOf(string @namespace) =>
        _namespaces.Get("", @namespace) is { Metadata.DeletionTimestamp: null }
        && tenants.TenantOf(@namespace) is { Metadata.DeletionTimestamp: null } tenant
            ? new ProxyIdentity(@namespace, tenant.Metadata.Uid)
            : null;

    private static ResourceKey ClientOf(string tenantNamespace) => new(tenantNamespace, CertificateSecrets.Client);
}
