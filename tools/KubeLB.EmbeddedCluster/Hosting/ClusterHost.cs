using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
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
