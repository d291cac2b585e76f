using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Xds.Resources;
using Stream = Grpc.Core.AsyncDuplexStreamingCall<
    Envoy.Service.Discovery.V3.DeltaDiscoveryRequest,
    Envoy.Service.Discovery.V3.DeltaDiscoveryResponse
>;

namespace KubeLB.Benchmarks.RealManager;

/// <summary>
/// A tenant's proxy as the manager sees it: mutual TLS, one incremental aggregated stream for clusters, listeners, and the endpoints that
/// its clusters name; it accepts everything.
/// </summary>
internal sealed class DeltaProxy : IAsyncDisposable
{
    private readonly GrpcChannel _channel;
    private readonly Stream _call;
    private readonly string _node;
    private readonly Task _reading;
    private readonly Dictionary<string, string> _endpointsOfCluster = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _users = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly HashSet<string> _listeners = new(StringComparer.Ordinal);
    private readonly HashSet<string> _endpoints = new(StringComparer.Ordinal);
    private Awaited? _awaited;
    private long _bytes;

    /// <summary>Connects; <see cref="HasAsync"/> tells when it has its configuration.</summary>
    public DeltaProxy(IPEndPoint server, string node, X509Certificate2 certificate)
    {
        _node = node;
        _channel = GrpcChannel.ForAddress(
            $"https://{server}",
            new GrpcChannelOptions
            {
                MaxReceiveMessageSize = null,
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new SslClientAuthenticationOptions
                    {
                        ClientCertificates = [certificate],
                        RemoteCertificateValidationCallback = (_, shown, _, _) =>
                            shown is X509Certificate2 manager && manager.MatchesHostname("envoycp.kubelb.svc"),
                    },
                },
            }
        );
        _call = new AggregatedDiscoveryService.AggregatedDiscoveryServiceClient(_channel).DeltaAggregatedResources();
        _reading = ReadAsync();
    }

    /// <summary>Bytes of all responses so far.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Waits until it has so many listeners, a cluster for each, and endpoints for all clusters.</summary>
    public Task HasAsync(int listeners) =>
        ManagementSide.EventuallyAsync(
            $"{_node}'s proxy has {listeners:N0} listeners",
            async () =>
            {
                if (_reading.IsCompleted)
                {
                    await _reading;
                }

                lock (_gate)
                {
                    return _listeners.Count == listeners && _endpointsOfCluster.Count == listeners && _users.Keys.All(_endpoints.Contains);
                }
            }
        );

    /// <summary>
    /// The time (of <see cref="Stopwatch"/>) at which the next response with a resource of this type and beginning of its name has been
    /// read.
    /// </summary>
    public Task<long> NextAsync(string typeUrl, string namePrefix)
    {
        var awaited = new Awaited(typeUrl, namePrefix);
        Volatile.Write(ref _awaited, awaited);
        return awaited.Read.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        _call.Dispose();
        _channel.Dispose();
        try
        {
            await _reading;
        }
        catch (RpcException)
        {
            // The stream was ended by this side.
        }
    }

    private async Task ReadAsync()
    {
        await SendAsync(
            new DeltaDiscoveryRequest
            {
                Node = new Node { Id = _node, Cluster = _node },
                TypeUrl = ResourceTypes.Cluster,
                ResourceNamesSubscribe = { "*" },
            }
        );
        await SendAsync(new DeltaDiscoveryRequest { TypeUrl = ResourceTypes.Listener, ResourceNamesSubscribe = { "*" } });
        while (await _call.ResponseStream.MoveNext(CancellationToken.None))
        {
            var response = _call.ResponseStream.Current;
            var now = Stopwatch.GetTimestamp();
            if (Volatile.Read(ref _awaited) is { } awaited && awaited.IsIn(response))
            {
                Volatile.Write(ref _awaited, null);
                awaited.Read.SetResult(now);
            }

            Interlocked.Add(ref _bytes, response.CalculateSize());
            await SendAsync(new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce });
            if (Take(response) is { } request)
            {
                await SendAsync(request);
            }
        }
    }

    // Further subscriptions that follow from the response.
    private DeltaDiscoveryRequest? Take(DeltaDiscoveryResponse response)
    {
        lock (_gate)
        {
            switch (response.TypeUrl)
            {
                case ResourceTypes.Listener:
                    Take(response, _listeners);
                    return null;
                case ResourceTypes.ClusterLoadAssignment:
                    Take(response, _endpoints);
                    return null;
                default:
                    return TakeClusters(response);
            }
        }
    }

    private static void Take(DeltaDiscoveryResponse response, HashSet<string> names)
    {
        names.UnionWith(response.Resources.Select(r => r.Name));
        names.ExceptWith(response.RemovedResources);
    }

    private DeltaDiscoveryRequest? TakeClusters(DeltaDiscoveryResponse response)
    {
        var request = new DeltaDiscoveryRequest { TypeUrl = ResourceTypes.ClusterLoadAssignment };
        foreach (var resource in response.Resources)
        {
            var endpoints = Cluster.Parser.ParseFrom(resource.Resource_.Value).EdsClusterConfig.ServiceName;
            var before = _endpointsOfCluster.GetValueOrDefault(resource.Name);
            if (before != endpoints)
            {
                _endpointsOfCluster[resource.Name] = endpoints;
                _users[endpoints] = _users.GetValueOrDefault(endpoints) + 1;
                if (_users[endpoints] == 1)
                {
                    request.ResourceNamesSubscribe.Add(endpoints);
                }

                Leave(before, request);
            }
        }

        foreach (var name in response.RemovedResources)
        {
            _endpointsOfCluster.Remove(name, out var before);
            Leave(before, request);
        }

        return request.ResourceNamesSubscribe.Count + request.ResourceNamesUnsubscribe.Count == 0 ? null : request;
    }

    private void Leave(string? endpoints, DeltaDiscoveryRequest request)
    {
        if (endpoints is not null && --_users[endpoints] == 0)
        {
            _users.Remove(endpoints);
            _endpoints.Remove(endpoints);
            request.ResourceNamesUnsubscribe.Add(endpoints);
        }
    }

    private Task SendAsync(DeltaDiscoveryRequest request) => _call.RequestStream.WriteAsync(request);

    private sealed record Awaited(string TypeUrl, string NamePrefix)
    {
        public TaskCompletionSource<long> Read { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsIn(DeltaDiscoveryResponse response) =>
            response.TypeUrl == TypeUrl && response.Resources.Any(r => r.Name.StartsWith(NamePrefix, StringComparison.Ordinal));
    }
}
