using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KubeLB.Sandbox.Networking;

/// <summary>
/// One Kestrel server with any number of sockets that come and go while it runs. Each speaks HTTP/1.1 and HTTP/2 on the same port, with
/// or without TLS.
/// </summary>
internal sealed class HttpFront : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly SocketTransportFactory _sockets = new(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);

    private HttpFront(Action<WebApplication> configure)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IConnectionListenerFactory, HandedOverConnections.Factory>();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        _server = builder.Build();
        configure(_server);
    }

    internal HandedOverConnections Http1 { get; } = new("http1");

    internal HandedOverConnections Http2 { get; } = new("http2");

    internal HandedOverConnections Tls { get; } = new("tls");

    /// <summary>Starts a server without sockets.</summary>
    /// <param name="configure">Adds the middleware that answers requests.</param>
    public static async Task<HttpFront> StartAsync(Action<WebApplication> configure)
    {
        var front = new HttpFront(configure);
        await front._server.StartAsync().ConfigureAwait(false);
        return front;
    }

    /// <summary>Starts a server without sockets whose every request goes to one delegate.</summary>
    public static Task<HttpFront> StartAsync(RequestDelegate handler) => StartAsync(server => server.Run(handler));

    /// <summary>Opens a socket.</summary>
    /// <param name="at">Where; port 0 for a free one.</param>
    /// <param name="owner">What the requests of this socket are for: <see cref="FrontListener.Owner"/>.</param>
    /// <param name="tls">Certificates for TLS; null for plain text.</param>
    /// <exception cref="IOException">The end point cannot be bound.</exception>
    public async Task<FrontListener> ListenAsync(IPEndPoint at, object owner, FrontTls? tls = null)
    {
        try
        {
            return new FrontListener(this, await _sockets.BindAsync(at).ConfigureAwait(false), tls, owner);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or AddressInUseException)
        {
            throw new IOException($"{at} cannot be listened on: {e.Message}", e);
        }
    }

    /// <summary>Ends all connections and the server. The sockets belong to their callers.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(now.Token).ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
    }

    private void Configure(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        options.AllowSynchronousIO = false;
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Listen(Http1, end => end.Protocols = HttpProtocols.Http1);
        options.Listen(Http2, end => end.Protocols = HttpProtocols.Http2);
        options.Listen(
            Tls,
            end =>
            {
                end.Protocols = HttpProtocols.Http1AndHttp2;
                end.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = ChooseCertificate });
            }
        );
    }

    private static ValueTask<SslServerAuthenticationOptions> ChooseCertificate(TlsHandshakeCallbackContext context)
    {
        var tls = context.Connection.Features.Get<FrontListener>()?.Tls;
        var certificate =
            tls?.Certificate(context.ClientHelloInfo.ServerName)
            ?? throw new System.Security.Authentication.AuthenticationException(
                $"no certificate for server name \"{context.ClientHelloInfo.ServerName}\""
            );
        return ValueTask.FromResult(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = certificate,
                ApplicationProtocols = tls.Http2
                    ? [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]
                    : [SslApplicationProtocol.Http11],
            }
        );
    }
}
