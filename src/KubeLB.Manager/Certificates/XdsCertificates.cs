using System.Security.Cryptography.X509Certificates;
using k8s.Models;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Certificates;

/// <summary>
/// The certificates that this replica serves xDS with, as the Secrets have them now: a connection that is made after a change uses the new
/// ones, those that are open go on.
/// </summary>
internal sealed class XdsCertificates([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options)
{
    private readonly IInformer<V1Secret> _secrets = management.Informer<V1Secret>();
    private Loaded _loaded = new(null, null, []);

    /// <summary>What the server shows; null while there is none.</summary>
    public X509Certificate2? Server => Load().Certificate;

    /// <summary>Whose proxies a client's certificate is for; null if it is not to be trusted.</summary>
    public ProxyIdentity? IdentityOf(X509Certificate2 client) =>
        IsTrusted(client) ? CertificateSecrets.IdentityOf(XdsAuthority.NamesOf(client)) : null;

    /// <summary>Whether a certificate is one of this manager's replicas, which show the server's certificate to each other.</summary>
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
        // Objects in the cache never change; a change puts another one in their place.
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
