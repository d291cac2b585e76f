using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KubeLB.TestClusters;

/// <summary>Creates handlers that trust only the certificate authority of an API server.</summary>
internal static class TrustingHandler
{
    /// <summary>A handler.</summary>
    /// <param name="authorityPem">The authority in PEM; null for a server without TLS.</param>
    public static SocketsHttpHandler Create(string? authorityPem)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (authorityPem is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPem(authorityPem);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }
}
