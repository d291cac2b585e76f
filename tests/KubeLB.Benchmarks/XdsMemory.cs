using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Client = Envoy.Service.Discovery.V3.AggregatedDiscoveryService.AggregatedDiscoveryServiceClient;

namespace KubeLB.Benchmarks;

/// <summary>
/// Memory of the xDS server with many proxies connected, in a process of its own. The proxies are in that process, too, which makes
/// the figure an upper bound; each has a connection of its own.
/// </summary>
internal static class XdsMemory
{
    public const string Command = "xds-memory";

    private const int ProxiesPerTenant = 5;
    private const int ClustersPerTenant = 50;
    private const long Megabyte = 1024 * 1024;

    public static async Task<Row> MeasureAsync(Sizes sizes)
    {
        var measured = await OwnProcess.RunAsync(Command, sizes.XdsProxies.ToString(CultureInfo.InvariantCulture));
        return new Row(
            $"{sizes.XdsProxies:N0} proxies of {sizes.XdsProxies / ProxiesPerTenant:N0} tenants connected, {ClustersPerTenant} "
                + "clusters per tenant",
            measured,
            "< 600 MB"
        );
    }

    public static async Task ReportAsync(int proxies)
    {
        await using var app = await XdsServer.StartAsync();
        var cache = app.Services.GetRequiredService<ResourceCache>();
        var tenants = proxies / ProxiesPerTenant;
        for (var tenant = 0; tenant < tenants; tenant++)
        {
            cache.Update(
                $"tenant-{tenant}",
                t =>
                {
                    for (var i = 0; i < ClustersPerTenant; i++)
                    {
                        var name = XdsServer.Name(i);
                        t.Set(name, XdsServer.NewCluster(name)).Set(name, XdsServer.NewEndpoints(name, 0));
                    }
                }
            );
        }

        var open = new List<(GrpcChannel, AsyncDuplexStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>)>();
        for (var i = 0; i < proxies; i++)
        {
            var channel = GrpcChannel.ForAddress(app.Urls.Single());
            var call = new Client(channel).DeltaAggregatedResources();
            open.Add((channel, call));
            foreach (var typeUrl in (string[])[ResourceTypes.Cluster, ResourceTypes.ClusterLoadAssignment])
            {
                await call.RequestStream.WriteAsync(
                    new DeltaDiscoveryRequest
                    {
                        TypeUrl = typeUrl,
                        Node = new Node { Id = $"tenant-{i % tenants}" },
                    }
                );
                await call.ResponseStream.MoveNext(CancellationToken.None);
                await call.RequestStream.WriteAsync(
                    new DeltaDiscoveryRequest { TypeUrl = typeUrl, ResponseNonce = call.ResponseStream.Current.Nonce }
                );
            }
        }

        var streams = app.Services.GetRequiredService<XdsStreams>().Count;
        if (streams != proxies)
        {
            throw new InvalidOperationException($"{proxies:N0} proxies connected, but {streams:N0} streams are open.");
        }

        var managed = GC.GetTotalMemory(forceFullCollection: true);
        Console.WriteLine($"{managed / Megabyte:N0} MB managed, process {Environment.WorkingSet / Megabyte:N0} MB, proxies included");
        foreach (var (channel, call) in open)
        {
            call.Dispose();
            channel.Dispose();
        }

        await app.StopAsync();
    }
}
