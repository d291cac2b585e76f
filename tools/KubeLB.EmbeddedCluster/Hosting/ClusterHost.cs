using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EmbeddedCluster.Hosting;

/// <summary>A bare Kestrel server.</summary>
internal static class ClusterHost
{
    private const int MaxStreamsPerConnection = 10_000;

    /// <param name="options">The options.</param>
    /// <param name="certificates">Certificates for TLS; null for plain HTTP.</param>
    /// <param name="services">The request handlers; requests wait for this task.</param>
    /// <param name="ct">Cancels the start.</param>
    public static async Task<WebApplication> StartAsync(
        EmbeddedClusterOptions options,
        Task<ClusterCertificates?> certificates,
        Task<ClusterServices> services,
        CancellationToken ct
    )
    {
        X509Certificate2? certificate = null;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "KubeLB.EmbeddedCluster" });
        builder.Services.AddSingleton(options.LoggerFactory);
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreamsPerConnection;
            kestrel.Limits.MaxConcurrentConnections = null;
            kestrel.Listen(
                options.Address,
                options.Port,
                listen =>
                {
                    if (certificate is not null)
                    {
                        listen.Protocols = HttpProtocols.Http1AndHttp2;
                        listen.UseHttps(
                            new HttpsConnectionAdapterOptions
                            {
                                ServerCertificate = certificate,
                                SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                            }
                        );
                    }
                    else
                    {
                        listen.Protocols = HttpProtocols.Http1;
                    }
                }
            );
        });
        certificate = (await certificates)?.Server;
        var host = builder.Build();
        host.Run(context => services.IsCompletedSuccessfully ? services.Result.Server.HandleAsync(context) : WaitAsync(services, context));
        try
        {
            await host.StartAsync(ct);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        return host;
    }

    private static async Task WaitAsync(Task<ClusterServices> services, HttpContext context) =>
        await (await services).Server.HandleAsync(context);

    public static Uri UrlOf(WebApplication host, EmbeddedClusterOptions options)
    {
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var port = new Uri(addresses.First()).Port;
        return new UriBuilder(options.Tls ? "https" : "http", options.Address.ToString(), port).Uri;
    }
}

/// <summary>The generated certificate authority of a cluster, and the server certificate.</summary>
internal sealed class ClusterCertificates : IDisposable
{
    private ClusterCertificates(X509Certificate2 authority, X509Certificate2 server)
    {
        Authority = authority;
        Server = server;
    }

    /// <summary>The authority's certificate, without its key.</summary>
    public X509Certificate2 Authority { get; }

    public X509Certificate2 Server { get; }

    public string AuthorityPem => Authority.ExportCertificatePem() + "\n";

    public static ClusterCertificates Create(IPAddress address)
    {
        var notBefore = DateTimeOffset.UtcNow.AddMinutes(-5);
        var notAfter = notBefore.AddYears(10);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=kubernetes", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authorityRequest.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true)
        );
        authorityRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, false));
        using var authority = authorityRequest.CreateSelfSigned(notBefore, notAfter);

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serverRequest = new CertificateRequest("CN=kube-apiserver", serverKey, HashAlgorithmName.SHA256);
        serverRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        serverRequest.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        foreach (
            var name in new[]
            {
                "localhost",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
            }
        )
        {
            names.AddDnsName(name);
        }
        serverRequest.CertificateExtensions.Add(names.Build());
        using var server = serverRequest.Create(authority, notBefore, notAfter, RandomNumberGenerator.GetBytes(16));
        return new ClusterCertificates(X509CertificateLoader.LoadCertificate(authority.RawData), server.CopyWithPrivateKey(serverKey));
    }

    public void Dispose()
    {
        Authority.Dispose();
        Server.Dispose();
    }
}

/// <summary>Writes kubeconfig files.</summary>
internal static class Kubeconfig
{
    /// <param name="cluster">Name of the cluster and of the context.</param>
    /// <param name="server">URL of the API server.</param>
    /// <param name="caPem">The authority that signed the server's certificate; null for plain HTTP.</param>
    /// <param name="user">Name of the user entry.</param>
    /// <param name="token">The user's bearer token.</param>
    /// <param name="namespace">Default namespace of the context; null for <c>default</c>.</param>
    public static string Write(string cluster, Uri server, string? caPem, string user, string token, string? @namespace)
    {
        var text = new StringBuilder();
        text.Append("apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n");
        if (caPem is not null)
        {
            text.Append("    certificate-authority-data: ").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(caPem))).Append('\n');
        }
        text.Append("    server: ").Append(server.GetLeftPart(UriPartial.Authority)).Append('\n');
        text.Append("  name: ").Append(cluster).Append("\ncontexts:\n- context:\n    cluster: ").Append(cluster);
        if (@namespace is not null)
        {
            text.Append("\n    namespace: ").Append(@namespace);
        }
        text.Append("\n    user: ").Append(user).Append("\n  name: ").Append(cluster);
        text.Append("\ncurrent-context: ").Append(cluster).Append("\nusers:\n- name: ").Append(user);
        text.Append("\n  user:\n    token: ").Append(token).Append('\n');
        return text.ToString();
    }
}
