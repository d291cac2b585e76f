using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Listener.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using k8s.Models;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Proxies.Xds;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// Stands between proxies without interfaces of their own and the manager: passes incremental discovery on with the pod's certificate, and
/// changes of what comes back one thing, where listeners listen: at the pod's address instead of all.
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

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Starts a relay.</summary>
    public static async Task<AdsRelay> StartAsync(IPAddress at, IPEndPoint manager, string serverName)
    {
        var relay = new AdsRelay(ListeningSocket.Choose(new IPEndPoint(at, manager.Port)), manager, serverName);
        await relay._server.StartAsync().ConfigureAwait(false);
        return relay;
    }

    /// <summary>A pod's certificate, for connections from now on.</summary>
    public void Mount(IPAddress pod, V1Secret secret)
    {
        if (ProxyCredential.Of(secret) is { } credential)
        {
            _credentials[$"{pod}"] = credential;
        }
    }

    /// <summary>A pod is gone.</summary>
    public void Forget(IPAddress pod) => _credentials.TryRemove($"{pod}", out _);

    /// <inheritdoc/>
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
            // One of the two left; the proxy connects again.
        }
        finally
        {
            await cancel.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
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

    /// <summary>The response, with its listeners at one address.</summary>
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
