using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Net.Client;
using k8s.Models;

namespace KubeLB.Sandbox.Proxies.Xds;

/// <summary>What a proxy shows, and whom it trusts.</summary>
internal sealed record ProxyCredential(X509Certificate2 Certificate, X509Certificate2Collection Trusted)
{
    /// <summary>The credential in a tenant's Secret; null if it has none.</summary>
    public static ProxyCredential? Of(V1Secret secret) =>
        secret.Data is { } data
        && data.TryGetValue("tls.crt", out var certificate)
        && data.TryGetValue("tls.key", out var key)
        && data.TryGetValue("ca.crt", out var trusted)
            ? Read(Encoding.UTF8.GetString(certificate), Encoding.UTF8.GetString(key), Encoding.UTF8.GetString(trusted))
            : null;

    /// <summary>A connection to the manager's xDS server, which the credential's holder is let into. The caller disposes it.</summary>
    /// <param name="server">Where it is.</param>
    /// <param name="serverName">What its certificate calls it.</param>
    /// <param name="credential">The credential; null for none.</param>
    public static GrpcChannel Connect(IPEndPoint server, string serverName, ProxyCredential? credential) =>
        GrpcChannel.ForAddress(
            $"https://{server}",
            new GrpcChannelOptions
            {
                MaxReceiveMessageSize = null,
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new SslClientAuthenticationOptions
                    {
                        ClientCertificates = credential is null ? null : [credential.Certificate],
                        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                            certificate is X509Certificate2 x509 && x509.MatchesHostname(serverName) && credential?.Trusts(x509) == true,
                    },
                },
            }
        );

    private static ProxyCredential Read(string certificate, string key, string trusted)
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
