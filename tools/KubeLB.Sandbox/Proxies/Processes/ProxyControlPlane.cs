using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Listener.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using k8s.Models;
using KubeLB.Sandbox.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// The manager's Service <c>envoycp</c>: one address for the current manager. If proxies cannot listen on all interfaces, a relay rewrites
/// their listening addresses.
/// </summary>
internal sealed class ProxyControlPlane : IAsyncDisposable
{
    private const int Port = 8001;

    private readonly TcpForwarder _service;
    private AdsRelay? _relay;
    private IPEndPoint? _manager;

    private ProxyControlPlane(IPAddress address) =>
        _service = TcpForwarder.Start(
            ListeningSocket.Choose(new IPEndPoint(address, Port)),
            () => Volatile.Read(ref _manager) is { } manager ? [manager] : []
        );

    /// <summary>The end point that the proxies connect to.</summary>
    public IPEndPoint Address => _relay?.Address ?? _service.LocalEndPoint;

    /// <summary>Starts the Service.</summary>
    /// <param name="addresses">Allocates its address.</param>
    /// <param name="serverName">Server name in the manager's certificate.</param>
    /// <param name="withRelay">Whether proxies listen on one address each.</param>
    public static async Task<ProxyControlPlane> StartAsync(LoopbackAddresses addresses, string serverName, bool withRelay)
    {
        var plane = new ProxyControlPlane(addresses.Take());
        if (withRelay)
        {
            plane._relay = await AdsRelay.StartAsync(addresses.Take(), plane._service.LocalEndPoint, serverName).ConfigureAwait(false);
        }

        return plane;
    }

    /// <summary>Sets the end point of the manager; null if it is not running.</summary>
    public void Follow(IPEndPoint? manager) => Volatile.Write(ref _manager, manager);

    /// <summary>Sets a pod's certificate, for a relay.</summary>
    public void Mount(IPAddress? pod, V1Secret secret)
    {
        if (pod is not null)
        {
            _relay?.Mount(pod, secret);
        }
    }

    /// <summary>Removes a pod.</summary>
    public void Forget(IPAddress pod) => _relay?.Forget(pod);

    public async ValueTask DisposeAsync()
    {
        if (_relay is not null)
        {
            await _relay.DisposeAsync().ConfigureAwait(false);
        }

        await _service.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>
/// Relays xDS between the manager and proxies without their own network interfaces: forwards incremental discovery with the pod's
/// certificate, and rewrites the address of listeners to that of the pod.
/// </summary>
internal sealed class AdsRelay : AggregatedDiscoveryService.AggregatedDiscoveryServiceBase, IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private readonly IPEndPoint _manager;
    private readonly string _serverName;
    private readonly WebApplication _server;
    private readonly ConcurrentDictionary<string, ProxyCredential> _credentials = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();

    private AdsRelay(IPEndPoint at, IPEndPoint manager, string serverName)
    {
        (Address, _manager, _serverName) = (at, manager, serverName);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = null);
        builder.Services.AddSingleton(this);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(at, listen => listen.Protocols = HttpProtocols.Http2));
        _server = builder.Build();
        _server.MapGrpcService<AdsRelay>();
    }

    /// <summary>The end point.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Starts a relay.</summary>
    public static async Task<AdsRelay> StartAsync(IPAddress at, IPEndPoint manager, string serverName)
    {
        var relay = new AdsRelay(ListeningSocket.Choose(new IPEndPoint(at, manager.Port)), manager, serverName);
        await relay._server.StartAsync().ConfigureAwait(false);
        return relay;
    }

    /// <summary>Sets a pod's certificate, for new connections.</summary>
    public void Mount(IPAddress pod, V1Secret secret)
    {
        if (ProxyCredential.Of(secret) is { } credential)
        {
            _credentials[$"{pod}"] = credential;
        }
    }

    /// <summary>Removes a pod.</summary>
    public void Forget(IPAddress pod) => _credentials.TryRemove($"{pod}", out _);

    public override async Task DeltaAggregatedResources(
        IAsyncStreamReader<DeltaDiscoveryRequest> requestStream,
        IServerStreamWriter<DeltaDiscoveryResponse> responseStream,
        ServerCallContext context
    )
    {
        var pod = context.RequestHeaders.GetValue(ProxyCommand.PodHeader) ?? "";
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, _stop.Token);
        using var channel = ProxyCredential.Connect(_manager, _serverName, _credentials.GetValueOrDefault(pod));
        using var call = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(channel).DeltaAggregatedResources(
            cancellationToken: cancel.Token
        );
        try
        {
            var first = await Task.WhenAny(
                    CopyAsync(requestStream, request => call.RequestStream.WriteAsync(request, cancel.Token), cancel.Token),
                    CopyAsync(
                        call.ResponseStream,
                        response => responseStream.WriteAsync(ListenAt(response, pod), cancel.Token),
                        cancel.Token
                    )
                )
                .ConfigureAwait(false);
            await first.ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // One side disconnected; the proxy reconnects.
        }
        finally
        {
            await cancel.CancelAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        using (var now = new CancellationTokenSource(Deadline))
        {
            await _server.StopAsync(now.Token).ConfigureAwait(false);
        }

        await _server.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>The response with rewritten listener addresses.</summary>
    internal static DeltaDiscoveryResponse ListenAt(DeltaDiscoveryResponse response, string address)
    {
        foreach (var resource in response.Resources.Where(r => r.Resource_?.Is(Listener.Descriptor) == true))
        {
            var listener = resource.Resource_.Unpack<Listener>();
            if (listener.Address?.SocketAddress is { Address: "0.0.0.0" } socket)
            {
                socket.Address = address;
                resource.Resource_ = Any.Pack(listener);
            }
        }

        return response;
    }

    private static async Task CopyAsync<T>(IAsyncStreamReader<T> from, Func<T, Task> write, CancellationToken cancellationToken)
    {
        while (await from.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            await write(from.Current).ConfigureAwait(false);
        }
    }
}
