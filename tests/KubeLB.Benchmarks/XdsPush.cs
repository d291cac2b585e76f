using System.Diagnostics;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Net.Client;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Client = Envoy.Service.Discovery.V3.AggregatedDiscoveryService.AggregatedDiscoveryServiceClient;
using Stream = Grpc.Core.AsyncDuplexStreamingCall<
    Envoy.Service.Discovery.V3.DeltaDiscoveryRequest,
    Envoy.Service.Discovery.V3.DeltaDiscoveryResponse
>;

namespace KubeLB.Benchmarks;

/// <summary>
/// What one changed resource costs while a node has many: from <see cref="ResourceCache.Update"/> to a connected delta client over
/// loopback. The sizes alternate, so that other load on the machine affects all of them alike.
/// </summary>
internal static class XdsPush
{
    public static async Task<IReadOnlyList<Row>> MeasureAsync(Sizes sizes)
    {
        await using var app = await XdsServer.StartAsync();
        var cache = app.Services.GetRequiredService<ResourceCache>();
        using var channel = GrpcChannel.ForAddress(app.Urls.Single(), new GrpcChannelOptions { MaxReceiveMessageSize = null });
        var rows = new List<Row>();
        var proxies = new List<Proxy>();
        foreach (var clusters in sizes.XdsClusters)
        {
            var proxy = new Proxy(clusters, new Client(channel).DeltaAggregatedResources());
            cache.Update(
                proxy.Node,
                t =>
                {
                    for (var i = 0; i < clusters; i++)
                    {
                        t.Set(XdsServer.Name(i), XdsServer.NewCluster(XdsServer.Name(i)))
                            .Set(XdsServer.Name(i), XdsServer.NewEndpoints(XdsServer.Name(i), 0));
                    }
                }
            );
            var watch = Stopwatch.StartNew();
            var bytes = await proxy.SubscribeAsync();
            rows.Add(
                new Row(
                    $"{clusters:N0} clusters and their endpoints to a proxy that starts",
                    $"{watch.ElapsedMilliseconds:N0} ms, {bytes / 1024.0:N0} KiB"
                )
            );
            proxies.Add(proxy);
        }

        for (var change = 1; change <= sizes.XdsChanges; change++)
        {
            foreach (var proxy in proxies)
            {
                await proxy.ChangeAsync(cache, change);
            }
        }

        var smallest = Median(proxies[0].Times);
        foreach (var proxy in proxies)
        {
            var ratio = Median(proxy.Times) / smallest;
            rows.Add(
                new Row(
                    $"one of {proxy.Clusters:N0} endpoint lists changed, to the connected proxy",
                    $"median {Median(proxy.Times):N2} ms ({ratio:N2} x), slowest of {proxy.Times.Count} {proxy.Times.Max():N1} ms, "
                        + $"{proxy.Bytes:N0} bytes",
                    "< 10 ms, within 1.5 x"
                )
            );
        }

        foreach (var proxy in proxies)
        {
            rows.Add(
                new Row(
                    $"the cache alone: one of {proxy.Clusters:N0} endpoint lists changed, no proxy connected",
                    $"{Cpu(cache, proxy, sizes.XdsChanges):N1} µs"
                )
            );
        }

        proxies.ForEach(p => p.Dispose());
        await app.StopAsync();
        return rows;
    }

    private static double Cpu(ResourceCache cache, Proxy proxy, int changes)
    {
        const string Unwatched = "-unwatched";
        cache.Update(
            proxy.Node + Unwatched,
            t =>
            {
                foreach (var resource in cache.List(proxy.Node, ResourceTypes.ClusterLoadAssignment))
                {
                    t.Set(resource);
                }
            }
        );
        var watch = Stopwatch.StartNew();
        for (var i = 1; i <= changes; i++)
        {
            var name = XdsServer.Name(i % proxy.Clusters);
            cache.Update(proxy.Node + Unwatched, t => t.Set(name, XdsServer.NewEndpoints(name, 10_000 + i)));
        }

        return watch.Elapsed.TotalMicroseconds / changes;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    private sealed class Proxy(int clusters, Stream stream) : IDisposable
    {
        private bool _saidNode;

        public int Clusters => clusters;

        public string Node => $"tenant-{clusters}";

        public List<double> Times { get; } = [];

        public int Bytes { get; private set; }

        public async Task<long> SubscribeAsync()
        {
            var bytes = 0L;
            foreach (var typeUrl in (string[])[ResourceTypes.Cluster, ResourceTypes.ClusterLoadAssignment])
            {
                await SendAsync(new DeltaDiscoveryRequest { TypeUrl = typeUrl });
                bytes += (await TakeAsync()).CalculateSize();
            }

            return bytes;
        }

        public async Task ChangeAsync(ResourceCache cache, int change)
        {
            var name = XdsServer.Name(change % clusters);
            var endpoints = XdsServer.NewEndpoints(name, change);
            var watch = Stopwatch.StartNew();
            cache.Update(Node, t => t.Set(name, endpoints));
            var response = await ReceiveAsync();
            Times.Add(watch.Elapsed.TotalMilliseconds);
            Bytes = response.CalculateSize();
            if (response.Resources.Count != 1 || response.Resources[0].Name != name)
            {
                throw new InvalidOperationException($"One change of {name} was sent as {response.Resources.Count} resources.");
            }

            await AckAsync(response);
        }

        public void Dispose() => stream.Dispose();

        private async Task<DeltaDiscoveryResponse> TakeAsync()
        {
            var response = await ReceiveAsync();
            await AckAsync(response);
            return response;
        }

        private async Task<DeltaDiscoveryResponse> ReceiveAsync() =>
            await stream.ResponseStream.MoveNext(CancellationToken.None)
                ? stream.ResponseStream.Current
                : throw new InvalidOperationException("The stream ended.");

        private Task AckAsync(DeltaDiscoveryResponse response) =>
            SendAsync(new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce });

        private Task SendAsync(DeltaDiscoveryRequest request)
        {
            request.Node = _saidNode ? null : new Node { Id = Node };
            _saidNode = true;
            return stream.RequestStream.WriteAsync(request);
        }
    }
}
