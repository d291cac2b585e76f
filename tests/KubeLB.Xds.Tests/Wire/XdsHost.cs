using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Tests.Wire;

/// <summary>A control plane on a loopback port, without anything of Kubernetes.</summary>
public sealed class XdsHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private XdsHost(WebApplication app, int port)
    {
        _app = app;
        Port = port;
    }

    public int Port { get; }

    public ResourceCache Cache => _app.Services.GetRequiredService<ResourceCache>();

    public XdsStreams Streams => _app.Services.GetRequiredService<XdsStreams>();

    public static async Task<XdsHost> StartAsync(
        Action<XdsOptions>? configure = null,
        ResourceCache? cache = null,
        Action<IServiceCollection>? services = null,
        int port = 0
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, o => o.Protocols = HttpProtocols.Http2));
        if (cache is not null)
        {
            builder.Services.AddSingleton(cache);
        }

        services?.Invoke(builder.Services);
        builder.Services.AddXds(configure);
        var app = builder.Build();
        app.MapXds();
        await app.StartAsync();
        return new XdsHost(app, new Uri(app.Urls.Single()).Port);
    }

    public GrpcChannel Connect() =>
        GrpcChannel.ForAddress(
            $"http://127.0.0.1:{Port}",
            new GrpcChannelOptions { MaxReceiveMessageSize = null, HttpHandler = new SocketsHttpHandler() }
        );

    /// <summary>A free port, for a control plane that is restarted on it.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }
}
