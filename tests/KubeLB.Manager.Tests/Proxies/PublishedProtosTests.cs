using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Tests.Proxies.Golden;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Tests.Proxies;

/// <summary>What a tenant's proxies are sent is what Envoy's published protos say, in each of its forms.</summary>
public sealed class PublishedProtosTests(PublishedProtos protos) : IClassFixture<PublishedProtos>
{
    private const string Network = "envoy.extensions.filters.network.";
    private static readonly ProxyHeaderLimits Least = new(1, 1, 1);

    public static TheoryData<string> Protocols => [.. System.Enum.GetNames<ProxyProtocol>()];

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Listeners_are_as_published(string protocol)
    {
        var port = Port(protocol);
        foreach (var limits in new[] { ProxyHeaderLimits.Most, Least })
        {
            var messages = await CheckAsync(ListenerResource.Build(port, limits));
            messages
                .Should()
                .ContainKey(
                    port.Protocol == ProxyProtocol.Tcp
                        ? $"{Network}tcp_proxy.v3.TcpProxy"
                        : $"{Network}http_connection_manager.v3.HttpConnectionManager"
                );
            messages.Should().ContainKey("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog");
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Clusters_and_endpoints_are_as_published(string protocol)
    {
        foreach (var nodes in new[] { "", "10.0.0.1", "10.0.0.1 2001:db8::1", "node.example.com.", "10.0.0.1 node.example.com." })
        {
            var addresses = nodes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var port = Port(protocol);
            foreach (var discovery in System.Enum.GetValues<EndpointDiscovery>())
            {
                var cluster = await CheckAsync(ClusterResource.Build(port, addresses, discovery));
                cluster
                    .ContainsKey("envoy.extensions.upstreams.http.v3.HttpProtocolOptions")
                    .Should()
                    .Be(port.Protocol == ProxyProtocol.Http2);
                cluster.ContainsKey("envoy.config.endpoint.v3.ClusterLoadAssignment").Should().Be(discovery != EndpointDiscovery.Eds);
            }

            var messages = await CheckAsync(EndpointsResource.Build(EndpointsResource.NameFor(port.NodePort), addresses, port.NodePort));
            messages.GetValueOrDefault("envoy.config.core.v3.SocketAddress").Should().Be(addresses.Length);
        }
    }

    [Theory]
    [MemberData(nameof(SnapshotGoldenTests.Cases), MemberType = typeof(SnapshotGoldenTests))]
    public async Task Recorded_configurations_are_as_published_in_bytes_and_as_text(string name)
    {
        var cache = SnapshotCase.Build(SnapshotGoldenTests.Folder.Input(name));
        var resources = SnapshotGoldenTests.Types.SelectMany(type => cache.List(SnapshotCase.Node, type)).ToList();
        foreach (var resource in resources)
        {
            NoFault(await protos.CheckAsync(Any.GetTypeName(resource.Body.TypeUrl), resource.Body.Value.ToByteArray()));
        }

        var documents = new JsonArray([.. Yaml.Read(SnapshotGoldenTests.Folder.Output(name))]);
        var response = new JsonObject { ["resources"] = documents };
        var messages = NoFault(await protos.CheckAsync("envoy.service.discovery.v3.DiscoveryResponse", response.ToJsonString()));

        // One case serves nothing.
        messages.GetValueOrDefault("google.protobuf.Any").Should().Be(Count(documents));
        documents.Should().HaveSameCount(resources);
    }

    private static int Count(JsonNode? node) =>
        node switch
        {
            JsonObject json => json.Sum(p => Count(p.Value)) + (json.ContainsKey("@type") ? 1 : 0),
            JsonArray list => list.Sum(Count),
            _ => 0,
        };

    private static IReadOnlyDictionary<string, int> NoFault(Checked result)
    {
        result.Faults.Should().BeEmpty();
        result.Rules.Should().BeSubsetOf(PublishedProtos.Rules, "each of them is shown to be enforced");
        return result.Messages;
    }

    private static ProxyPort Port(string protocol) =>
        new("default-web-api-8080-TCP", 12000, 30080, System.Enum.Parse<ProxyProtocol>(protocol));

    private async Task<IReadOnlyDictionary<string, int>> CheckAsync(IMessage message) =>
        NoFault(await protos.CheckAsync(message.Descriptor.FullName, message.ToByteArray()));
}
