using System.Collections.Concurrent;
using System.Text.Json;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Xds.Tests.Interop;

/// <summary>A client with Envoy's published protos accepts valid resources and rejects invalid ones.</summary>
public sealed class AdsClientTests
{
    private const string Node = "interop";

    public static TheoryData<string> Protocols => ["sotw", "delta"];

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Valid_resources_are_acknowledged_in_make_before_break_order(string protocol)
    {
        NodeProgram.SkipUnlessInstalled();
        var seen = new Rejections();
        await using var host = await XdsHost.StartAsync(services: s => s.AddSingleton<IXdsObserver>(seen));
        host.Cache.Update(Node, t => t.AddCluster("one", 5, 80, 81).Set("web", Tcp("web", "one")));
        await using var client = NodeProgram.Start("ads-client.mjs", $"127.0.0.1:{host.Port}", Node, protocol);

        (await client.NextAsync("response")).GetProperty("response").GetString().Should().Be("cluster");
        (await client.NextAsync("response")).GetProperty("response").GetString().Should().Be("endpoints");
        var all = await client.NextAsync("response");
        all.GetProperty("response").GetString().Should().Be("listener");
        all.GetProperty("addresses").GetInt32().Should().Be(2);

        client.Say("stop");
        var sum = await client.NextAsync("responses");
        sum.GetProperty("faults").GetArrayLength().Should().Be(0);
        sum.GetProperty("messages")
            .EnumerateObject()
            .Select(m => m.Name)
            .Should()
            .Contain("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy");
        seen.Messages.Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Invalid_field_is_rejected_with_its_path(string protocol)
    {
        NodeProgram.SkipUnlessInstalled();
        var seen = new Rejections();
        await using var host = await XdsHost.StartAsync(services: s => s.AddSingleton<IXdsObserver>(seen));
        var odd = Cluster.Parser.ParseFrom([.. Samples.Cluster("one", timeout: 0).ToByteArray(), 0xc0, 0xb2, 0x04, 0x01]);
        host.Cache.Update(Node, t => t.Set("one", odd).Set("one", Samples.Endpoints("one", 80)));
        await using var client = NodeProgram.Start("ads-client.mjs", $"127.0.0.1:{host.Port}", Node, protocol);

        var faults = Texts((await client.NextAsync("response")).GetProperty("faults"));
        var at = protocol == "delta" ? "resources[0].resource" : "resources[0]";
        faults
            .Should()
            .Equal(
                $"cluster: {at}[envoy.config.cluster.v3.Cluster]: unknown field 9000 (wire type 0) in envoy.config.cluster.v3.Cluster",
                $"cluster: {at}[envoy.config.cluster.v3.Cluster]: is written in other bytes: 21, not 17, other from 17 on",
                $"cluster: {at}[envoy.config.cluster.v3.Cluster].connect_timeout: breaks duration.gt {{}}: {{}}"
            );
        await Eventually.HoldsAsync(() => !seen.Messages.IsEmpty, "the rejection");
        seen.Messages.Should().ContainSingle().Which.Should().Be(string.Join("; ", faults));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Listener_with_missing_cluster_is_reported(string protocol)
    {
        NodeProgram.SkipUnlessInstalled();
        await using var host = await XdsHost.StartAsync();
        host.Cache.Update(Node, t => t.AddCluster("one", 5, 80).Set("web", Tcp("web", "other")));
        await using var client = NodeProgram.Start("ads-client.mjs", $"127.0.0.1:{host.Port}", Node, protocol);

        Texts((await client.NextAsync("response", r => r.GetString() == "listener")).GetProperty("faults"))
            .Should()
            .Equal("listener: listener web sends to other, which is not there");
    }

    private static Listener Tcp(string name, string cluster) =>
        new()
        {
            Name = name,
            Address = new Address
            {
                SocketAddress = new SocketAddress { Address = "0.0.0.0", PortValue = 80 },
            },
            FilterChains =
            {
                new FilterChain
                {
                    Filters =
                    {
                        new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = name, Cluster = cluster }) },
                    },
                },
            },
        };

    private static IReadOnlyList<string> Texts(JsonElement list) => [.. list.EnumerateArray().Select(f => f.GetString()!)];

    private sealed class Rejections : IXdsObserver
    {
        public ConcurrentQueue<string> Messages { get; } = new();

        public void Rejected(XdsStreamInfo stream, XdsRejection rejection) => Messages.Enqueue(rejection.Message);
    }
}
