using System.Security.Authentication;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Probes;
using KubeLB.Xds;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>
/// Serves xDS to the tenants' proxies, over mutual TLS unless that is switched off. Every replica does, whoever leads. Where it listens is
/// known after the start.
/// </summary>
internal sealed class XdsServer(
    ManagerOptions options,
    ResourceCache resources,
    XdsStreams streams,
    XdsCertificates certificates,
    TenantSettingsResolver tenants,
    XdsEndpoint endpoint,
    IEnumerable<IXdsObserver> observers,
    ConnectionFailures failures,
    ILoggerFactory logging
) : IHostedService, IAsyncDisposable
{
    // Streams have no end of their own.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private WebApplication? _app;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (ListenAddress.Parse(options.ListenAddress, loopbackByDefault: false) is not { } address)
        {
            return;
        }

        var builder = KestrelListener.CreateBuilder(address, Configure);

        // Kestrel's own log is for the failures only: it says at debug level what it refuses, and everything else there, too.
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(failures).AddProvider(new Forwarding(logging));
        builder.Services.AddRouting();
        builder.Services.AddSingleton(resources);
        builder.Services.AddSingleton(streams);
        foreach (var observer in observers)
        {
            builder.Services.AddSingleton(observer);
        }

        if (!options.XdsInsecure)
        {
            builder.Services.AddSingleton<IXdsAuthorizer>(new CertificateAuthorizer(certificates, tenants));
        }

        builder.Services.AddXds(xds => xds.ControlPlane = "kubelb-manager");
        builder
            .WebHost.UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel =>
            {
                // Envoy sends ":scheme: http" on gRPC streams over TLS, too; without this Kestrel resets each of them.
                kestrel.AllowAlternateSchemes = true;
            });
        _app = builder.Build();
        _app.Use(failures.ReportUnimplementedAsync);
        _app.UseRouting();
        _app.MapXds();
        endpoint.Address = await KestrelListener.StartAsync(_app, address, "xDS", cancellationToken).ConfigureAwait(false);

        var logger = logging.CreateLogger<XdsServer>();
        if (options.XdsInsecure)
        {
            Log.ServingEverybody(logger, endpoint.Address);
        }
        else
        {
            Log.Serving(logger, endpoint.Address);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is { } app)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Deadline);
            await app.StopAsync(limit.Token).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is { } app)
        {
            await app.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Configure(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.Use(failures.Track);
        if (!options.XdsInsecure)
        {
            listen.UseHttps(https =>
            {
                https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
                https.ServerCertificateSelector = (_, _) => certificates.Server;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (certificate, _, _) =>
                    certificates.IdentityOf(certificate) is not null || certificates.IsReplica(certificate);
            });
        }
    }

    /// <summary>Writes this listener's entries to the host's log, which has levels of its own.</summary>
    private sealed class Forwarding(ILoggerFactory host) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => host.CreateLogger(categoryName);

        public void Dispose() { }
    }
}
