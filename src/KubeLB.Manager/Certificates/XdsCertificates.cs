using System.Security.Cryptography.X509Certificates;
using k8s.Models;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Certificates;

/// <summary>
/// The certificates of this replica's xDS server, read from their Secret. New connections use a changed Secret; open connections are not
/// closed.
/// </summary>
internal sealed class XdsCertificates([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options)
{
    private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();
    private Loaded _loaded = new(null, null, []);

    /// <summary>The server's certificate; null if it does not exist yet or is invalid.</summary>
    public X509Certificate2? Server => Load().Certificate;

    /// <summary>The tenant that a client's certificate identifies; null if it is not trusted.</summary>
    public ProxyIdentity? IdentityOf(X509Certificate2 client) =>
        IsTrusted(client) ? CertificateSecrets.IdentityOf(XdsAuthority.NamesOf(client)) : null;

    /// <summary>Whether a certificate is that of a manager replica, which is the server's certificate.</summary>
    public bool IsReplica(X509Certificate2 certificate) =>
        IsTrusted(certificate)
        && XdsAuthority.NamesOf(certificate).Contains(CertificateSecrets.ServiceName(options.Namespace), StringComparer.Ordinal);

    private bool IsTrusted(X509Certificate2 client)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Load().Trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.2"));
        return chain.Build(client);
    }

    private Loaded Load()
    {
        // Cached objects are immutable; a change replaces them.
        var secret = _secrets.Get(options.Namespace, CertificateSecrets.Server);
        var loaded = Volatile.Read(ref _loaded);
        if (!ReferenceEquals(loaded.Secret, secret))
        {
            loaded = new Loaded(
                secret,
                CertificateSecrets.ReadPair(secret)?.Load(),
                XdsAuthority.Read(CertificateSecrets.ReadTrusted(secret) ?? "")
            );
            Volatile.Write(ref _loaded, loaded);
        }

        return loaded;
    }

    private sealed record Loaded(V1Secret? Secret, X509Certificate2? Certificate, X509Certificate2Collection Trusted);
}

/// <summary>
/// Identifies the tenant of a proxy's certificate. The UID distinguishes a recreated Tenant, so that certificates of the old one are
/// rejected.
/// </summary>
/// <param name="TenantNamespace">The tenant's namespace, which is the proxies' node id.</param>
/// <param name="TenantUid">UID of the Tenant.</param>
internal sealed record ProxyIdentity(string TenantNamespace, string TenantUid);
