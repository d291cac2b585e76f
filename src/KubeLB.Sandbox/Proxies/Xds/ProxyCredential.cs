using System.Security.Cryptography.X509Certificates;

namespace KubeLB.Sandbox.Proxies.Xds;

/// <summary>What a proxy shows, and whom it trusts.</summary>
internal sealed record ProxyCredential(X509Certificate2 Certificate, X509Certificate2Collection Trusted)
{
    public static ProxyCredential Read(string certificate, string key, string trusted)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(trusted);
        return new ProxyCredential(X509Certificate2.CreateFromPem(certificate, key), authorities);
    }

    /// <summary>Whether a server's certificate is of somebody that is trusted.</summary>
    public bool Trusts(X509Certificate2 server)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(server);
    }
}
