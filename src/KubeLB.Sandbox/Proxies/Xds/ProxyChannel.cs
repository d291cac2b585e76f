using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace KubeLB.Sandbox.Proxies.Xds;

/// <summary>A proxy's connection to the manager, over mutual TLS.</summary>
internal static class ProxyChannel
{
    /// <summary>Connects when it is first used.</summary>
    /// <param name="server">Where the manager serves xDS.</param>
    /// <param name="serverName">What its certificate calls it.</param>
    /// <param name="credential">What the proxy shows; null for nothing.</param>
    public static GrpcChannel Connect(IPEndPoint server, string serverName, ProxyCredential? credential) => GrpcChannel.ForAddress(
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
        });
}
