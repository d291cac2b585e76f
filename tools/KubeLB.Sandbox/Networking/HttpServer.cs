using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
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
/// One Kestrel server with sockets that can be opened and closed while it runs. Each serves HTTP/1.1 and HTTP/2 on the same port, with or
/// without TLS.
/// </summary>
internal sealed class HttpServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly SocketTransportFactory _sockets = new(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);

    private HttpServer(Action<WebApplication> configure)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IConnectionListenerFactory, ConnectionQueue.Factory>();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        _server = builder.Build();
        configure(_server);
    }

    internal ConnectionQueue Http1 { get; } = new("http1");

    internal ConnectionQueue Http2 { get; } = new("http2");

    internal ConnectionQueue Tls { get; } = new("tls");

    /// <summary>Starts a server without sockets.</summary>
    /// <param name="configure">Adds the middleware.</param>
    public static async Task<HttpServer> StartAsync(Action<WebApplication> configure)
    {
        var httpServer = new HttpServer(configure);
        await httpServer._server.StartAsync().ConfigureAwait(false);
        return httpServer;
    }

    /// <summary>Starts a server without sockets with one request delegate.</summary>
    public static Task<HttpServer> StartAsync(RequestDelegate handler) => StartAsync(server => server.Run(handler));

    /// <summary>Opens a socket.</summary>
    /// <param name="at">The end point; port 0 for a free port.</param>
    /// <param name="owner">See <see cref="HttpServerListener.Owner"/>.</param>
    /// <param name="tls">TLS settings; null for plain text.</param>
    /// <exception cref="IOException">The end point cannot be bound.</exception>
    public async Task<HttpServerListener> ListenAsync(IPEndPoint at, object owner, ListenerTls? tls = null)
    {
        try
        {
            return new HttpServerListener(this, await _sockets.BindAsync(at).ConfigureAwait(false), tls, owner);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or AddressInUseException)
        {
            throw new IOException($"Cannot listen on {at}: {e.Message}", e);
        }
    }

    /// <summary>Stops the server and closes all connections. The callers dispose the sockets.</summary>
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
        var tls = context.Connection.Features.Get<HttpServerListener>()?.Tls;
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

/// <summary>TLS settings of a listener.</summary>
/// <param name="Certificate">Selects the certificate by server name; null fails the handshake.</param>
/// <param name="Http2">Whether HTTP/2 is offered in ALPN.</param>
internal sealed record ListenerTls(Func<string?, X509Certificate2?> Certificate, bool Http2 = true);

/// <summary>
/// A Kestrel listener for connections that another socket accepted: Kestrel has one protocol per listener, and the protocol of a connection
/// is only known after its first bytes.
/// </summary>
internal sealed class ConnectionQueue(string name) : EndPoint, IConnectionListener
{
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();

    EndPoint IConnectionListener.EndPoint => this;

    /// <summary>Passes a connection to the server.</summary>
    /// <returns>False if the server has stopped.</returns>
    public bool TryEnqueue(ConnectionContext connection) => _connections.Writer.TryWrite(connection);

    public override string ToString() => name;

    async ValueTask<ConnectionContext?> IConnectionListener.AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _connections.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    ValueTask IConnectionListener.UnbindAsync(CancellationToken cancellationToken)
    {
        _connections.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    ValueTask IAsyncDisposable.DisposeAsync()
    {
        _connections.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>Binds the queues in Kestrel.</summary>
    internal sealed class Factory : IConnectionListenerFactory, IConnectionListenerFactorySelector
    {
        public bool CanBind(EndPoint endpoint) => endpoint is ConnectionQueue;

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult<IConnectionListener>((ConnectionQueue)endpoint);
    }
}
