using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EmbeddedCluster.Hosting;

/// <summary>Kestrel with nothing around it.</summary>
internal static class ClusterHost
{
    private const int MaxStreamsPerConnection = 10_000;

    public static async Task<WebApplication> StartAsync(EmbeddedClusterOptions options, ClusterServices services, CancellationToken ct)
    {
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
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                if (services.Certificates is { } certificates)
                {
                    listen.Protocols = HttpProtocols.Http1AndHttp2;
                    listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificates.Server, SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 });
                }
                else
                {
                    listen.Protocols = HttpProtocols.Http1;
                }
            });
        });
        var host = builder.Build();
        host.Run(services.Server.HandleAsync);
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

    public static Uri UrlOf(WebApplication host, EmbeddedClusterOptions options)
    {
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var port = new Uri(addresses.First()).Port;
        return new UriBuilder(options.Tls ? "https" : "http", options.Address.ToString(), port).Uri;
    }
}
