using System.Collections.Concurrent;
using System.Text.Json;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Xds.Tests.Interop;

/// <summary>gRPC's own xDS client (Node.js) finds its backends through KubeLB.Xds and loses no call, whatever changes.</summary>
public class GrpcClientTests
{
    private const string Node = "interop";
    private const string Target = "greeter";

    [Fact]
    public async Task Changes_restart_and_rejected_resource_cause_no_failed_call()
    {
        NodeProgram.SkipUnlessInstalled();
        var port = XdsHost.FreePort();
        var seen = new Answers();
        var host = await StartAsync(port, seen);
        try
        {
            await using var client = NodeProgram.Start(
                "grpc-client.mjs",
                new Dictionary<string, string> { ["GRPC_XDS_BOOTSTRAP_CONFIG"] = Bootstrap(port) },
                $"xds:///{Target}",
                "a",
                "b",
                "c",
                "d"
            );
            var ports = (await client.NextAsync("backends"))
                .GetProperty("backends")
                .EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetInt32());

            // The client finds a backend.
            host.Cache.Update(
                Node,
                t =>
                    t.AddCluster("one", 5, ports["a"])
                        .Set("routes", Samples.Routes("routes", "one"))
                        .Set(Target, Samples.Listener(Target, "routes"))
            );
            await SeesAsync(client, "a");

            // Endpoints change.
            host.Cache.Update(Node, t => t.Set("one", Samples.Endpoints("one", ports["b"])));
            await SeesAsync(client, "b");

            // A route moves to another cluster, and the one that it left goes.
            host.Cache.Update(
                Node,
                t => t.AddCluster("two", 5, ports["c"]).RemoveCluster("one").Set("routes", Samples.Routes("routes", "two"))
            );
            await SeesAsync(client, "c");

            // The listener moves to another route table, the cluster changes its settings.
            host.Cache.Update(
                Node,
                t =>
                    t.AddCluster("three", 5, ports["d"])
                        .Set("more", Samples.Routes("more", "three"))
                        .Set(Target, Samples.Listener(Target, "more"))
                        .Remove(ResourceTypes.RouteConfiguration, "routes")
                        .RemoveCluster("two")
            );
            await SeesAsync(client, "d");
            host.Cache.Update(Node, t => t.Set("three", Samples.Cluster("three", timeout: 7)));

            // An invalid resource is rejected; the client keeps the last accepted one and receives others.
            var bad = Samples.Cluster("three");
            bad.LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.Maglev;
            host.Cache.Update(Node, t => t.Set("three", bad));
            await Eventually.HoldsAsync(() => !seen.Rejections.IsEmpty, "the rejection of the bad cluster");
            seen.Rejections.First().TypeUrl.Should().Be(ResourceTypes.Cluster);
            seen.Rejections.First().Message.Should().NotBeEmpty();
            seen.Rejections.First().Resources.Should().Equal("three");
            host.Streams.Describe().Single().Types.Single(t => t.TypeUrl == ResourceTypes.Cluster).Rejection.Should().NotBeNull();
            host.Cache.Update(Node, t => t.Set("three", Samples.Endpoints("three", ports["a"])));
            await SeesAsync(client, "a");
            host.Cache.Update(Node, t => t.Set("three", Samples.Cluster("three")));

            // The control plane goes, and comes back on the same address with the same resources.
            await host.DisposeAsync();
            await CallsGoOnAsync(client);
            host = await StartAsync(port, seen);
            host.Cache.Update(
                Node,
                t =>
                    t.AddCluster("three", 5, ports["a"])
                        .Set("more", Samples.Routes("more", "three"))
                        .Set(Target, Samples.Listener(Target, "more"))
            );
            await Eventually.HoldsAsync(() => host.Streams.Count == 1, "the client's reconnection");
            host.Cache.Update(Node, t => t.Set("three", Samples.Endpoints("three", ports["b"])));
            await SeesAsync(client, "b");

            client.Say("stop");
            var sum = await client.NextAsync("calls");
            sum.GetProperty("failed").EnumerateArray().Select(f => f.GetString()).Should().BeEmpty(client.Errors);
            sum.GetProperty("calls").GetInt32().Should().BeGreaterThan(20);
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    private static Task<XdsHost> StartAsync(int port, Answers seen) =>
        XdsHost.StartAsync(port: port, services: s => s.AddSingleton<IXdsObserver>(seen));

    private static Task<JsonElement> SeesAsync(NodeProgram client, string backend) =>
        client.NextAsync("seen", name => name.GetString() == backend);

    // Both sides of the pause are in the sum of failed calls; here only the time passes in which there is no control plane.
    private static async Task CallsGoOnAsync(NodeProgram client)
    {
        client.Say("count");
        await client.NextAsync("count");
        client.Say("count");
        await client.NextAsync("count");
    }

    private static string Bootstrap(int port) =>
        JsonSerializer.Serialize(
            new
            {
                xds_servers = new[]
                {
                    new
                    {
                        server_uri = $"127.0.0.1:{port}",
                        channel_creds = new[] { new { type = "insecure" } },
                        server_features = new[] { "xds_v3" },
                    },
                },
                node = new { id = Node, locality = new { region = "r" } },
            }
        );

    private sealed class Answers : IXdsObserver
    {
        public ConcurrentQueue<XdsRejection> Rejections { get; } = new();

        public void Rejected(XdsStreamInfo stream, XdsRejection rejection) => Rejections.Enqueue(rejection);
    }
}
