using Google.Protobuf;
using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Tests.Proxies;

/// <summary>What a tenant's proxies are sent is what Envoy's published protos say, in each of its forms.</summary>
public sealed class PublishedProtosTests(PublishedProtos protos) : IClassFixture<PublishedProtos>
{
    private const string Network = "envoy.extensions.filters.network.";
    private static readonly ProxyHeaderLimits Least = new(1, 1, 1);

    public static TheoryData<string> Protocols => [.. Enum.GetNames<ProxyProtocol>()];

    [SkippableTheory]
    [MemberData(nameof(Protocols))]
    public async Task Listeners_are_as_published(string protocol)
    {
        var port = Port(protocol);
        foreach (var limits in new[] { ProxyHeaderLimits.Most, Least })
        {
            var messages = await CheckAsync(ListenerResource.Build(port, limits));
            messages.Should().ContainKey(port.Protocol == ProxyProtocol.Tcp ? $"{Network}tcp_proxy.v3.TcpProxy" : $"{Network}http_connection_manager.v3.HttpConnectionManager");
            messages.Should().ContainKey("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Protocols))]
    public async Task Clusters_and_endpoints_are_as_published(string protocol)
    {
        foreach (var nodes in new[] { "", "10.0.0.1", "10.0.0.1 2001:db8::1", "node.example.com.", "10.0.0.1 node.example.com." })
        {
            var addresses = nodes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var port = Port(protocol);
            var messages = await CheckAsync(ClusterResource.Build(port, addresses));
            messages.ContainsKey("envoy.extensions.upstreams.http.v3.HttpProtocolOptions").Should().Be(port.Protocol == ProxyProtocol.Http2);
            messages.ContainsKey("envoy.config.endpoint.v3.ClusterLoadAssignment").Should().Be(addresses.Any(EndpointsResource.IsHostname));
            messages = await CheckAsync(EndpointsResource.Build(EndpointsResource.NameFor(port.NodePort), addresses, port.NodePort));
            messages.GetValueOrDefault("envoy.config.core.v3.SocketAddress").Should().Be(addresses.Length);
        }
    }

    private static ProxyPort Port(string protocol) => new("default-web-api-8080-TCP", 12000, 30080, Enum.Parse<ProxyProtocol>(protocol));

    private async Task<IReadOnlyDictionary<string, int>> CheckAsync(IMessage message)
    {
        var result = await protos.CheckAsync(message.Descriptor.FullName, message.ToByteArray());
        result.Faults.Should().BeEmpty();
        result.Rules.Should().BeSubsetOf(PublishedProtos.Rules, "each of them is shown to be enforced");
        return result.Messages;
    }
}
