using System.Net;
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
/// Serves xDS to the tenants' proxies, over mutual TLS unless <c>--xds-insecure</c> is set. Runs on every replica, not only the leader.
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
    // Streams do not end by themselves.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private WebApplication? _app;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (ListenAddress.Parse(options.ListenAddress, loopbackByDefault: false) is not { } address)
        {
            return;
        }

        var builder = KestrelListener.CreateBuilder(address, Configure);

        // Kestrel reports rejected connections at debug level only; ConnectionFailures selects them.
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
                // Envoy also sends ":scheme: http" on gRPC streams over TLS. Without this setting, Kestrel resets each of these streams.
                kestrel.AllowAlternateSchemes = true;
            });
        _app = builder.Build();
        _app.Use(failures.ReportUnimplementedAsync);
        _app.UseRouting();
        _app.MapXds();
        endpoint.Address = await KestrelListener
            .StartAsync(_app, address, "xDS", "--listen-address", cancellationToken)
            .ConfigureAwait(false);

        var logger = logging.CreateLogger<XdsServer>();
        if (options.XdsInsecure)
        {
            Log.XdsListeningInsecurely(logger, endpoint.Address);
        }
        else
        {
            Log.XdsListening(logger, endpoint.Address);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is { } app)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(StopTimeout);
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

    /// <summary>Forwards entries to the log of the host, which has its own levels.</summary>
    private sealed class Forwarding(ILoggerFactory host) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => host.CreateLogger(categoryName);

        public void Dispose() { }
    }
}

/// <summary>Address of this host's xDS server, set when the host starts.</summary>
public sealed class XdsEndpoint
{
    /// <summary>Address and port; null if the server is disabled or not started.</summary>
    public IPEndPoint? Address { get; internal set; }
}

/// <summary>Readiness of the xDS server: it is listening and has a certificate.</summary>
internal sealed class XdsReadiness(ManagerOptions options, XdsEndpoint endpoint, XdsCertificates certificates) : IReadinessCheck
{
    /// <inheritdoc />
    public string Name => "xds";

    /// <inheritdoc />
    public string? Problem =>
        ListenAddress.Parse(options.ListenAddress, loopbackByDefault: false) is null ? null
        : endpoint.Address is null ? $"The xDS server is not listening on {options.ListenAddress} yet."
        : !options.XdsInsecure && certificates.Server is null
            ? $"Secret {options.Namespace}/{CertificateSecrets.Server} does not exist yet or is invalid; the leader writes it."
        : null;
}
