using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using KubeLB.Tests.Shared;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace KubeLB.Xds.Tests.Interop;

/// <summary>The checker of tests/interop/xds reports fields that Envoy's published protos do not have, with their path.</summary>
public sealed class CheckedBytesTests(PublishedProtos protos) : IClassFixture<PublishedProtos>
{
    private const string Manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    private const string Options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Field 9000, varint 1.</summary>
    private static readonly byte[] Unknown = [0xc0, 0xb2, 0x04, 0x01];

    [Fact]
    public async Task Valid_message_has_no_fault()
    {
        var result = await protos.CheckAsync(Cluster.Descriptor.FullName, Sound().ToByteArray());

        result.Faults.Should().BeEmpty();
        result
            .Messages.Should()
            .Contain(Cluster.Descriptor.FullName, 1)
            .And.Contain(Options, 1)
            .And.Contain("envoy.config.core.v3.SocketAddress", 1);
    }

    [Fact]
    public async Task Any_of_an_empty_message_has_no_fault()
    {
        var result = await protos.CheckAsync(
            Envoy.Config.Listener.V3.Listener.Descriptor.FullName,
            Listener(Any.Pack(new Router())).ToByteArray()
        );

        result.Faults.Should().BeEmpty();
        result.Messages.Should().Contain("envoy.extensions.filters.http.router.v3.Router", 1);
    }

    [Fact]
    public async Task Unknown_field_is_reported() =>
        await ExpectAsync(
            Sound(),
            [.. Sound().ToByteArray(), .. Unknown],
            "unknown field 9000 (wire type 0) in envoy.config.cluster.v3.Cluster"
        );

    [Fact]
    public async Task Unknown_field_in_a_nested_message_is_reported()
    {
        var cluster = Sound();
        cluster.LoadAssignment.Endpoints[0].LbEndpoints[0] = With(cluster.LoadAssignment.Endpoints[0].LbEndpoints[0]);

        await ExpectAsync(
            cluster,
            "load_assignment.endpoints[0].lb_endpoints[0]: unknown field 9000 (wire type 0) in envoy.config.endpoint.v3.LbEndpoint"
        );
    }

    [Fact]
    public async Task Unknown_field_in_an_Any_of_a_map_is_reported()
    {
        var cluster = Sound();
        cluster.TypedExtensionProtocolOptions["a.b"] = Any.Pack(
            With(cluster.TypedExtensionProtocolOptions["a.b"].Unpack<HttpProtocolOptions>())
        );

        await ExpectAsync(cluster, $"typed_extension_protocol_options[\"a.b\"][{Options}]: unknown field 9000 (wire type 0) in {Options}");
    }

    [Fact]
    public async Task Unknown_field_in_an_Any_of_an_Any_is_reported()
    {
        var manager = new HttpConnectionManager
        {
            StatPrefix = "a",
            RouteConfig = new(),
            HttpFilters =
            {
                new HttpFilter { Name = "r", TypedConfig = Any.Pack(With(new Router())) },
            },
        };

        await ExpectAsync(
            Listener(Any.Pack(manager)),
            $"filter_chains[0].filters[0].typed_config[{Manager}]"
                + $".http_filters[0].typed_config[envoy.extensions.filters.http.router.v3.Router]: "
                + "unknown field 9000 (wire type 0) in envoy.extensions.filters.http.router.v3.Router"
        );
    }

    [Theory]
    [InlineData("type.googleapis.com/kubelb.k8c.io.Filter", "[kubelb.k8c.io.Filter]: the type kubelb.k8c.io.Filter is not published")]
    [InlineData("", ".type_url: \"\" does not begin with type.googleapis.com/")]
    public async Task Any_of_an_unknown_type_is_reported(string url, string fault) =>
        await ExpectAsync(
            Listener(new Any { TypeUrl = url, Value = ByteString.CopyFrom(1, 2) }),
            $"filter_chains[0].filters[0].typed_config{fault}"
        );

    [Fact]
    public async Task Deprecated_field_is_reported()
    {
        // max_requests_per_connection, a wrapper.
        byte[] limit = [0x4a, 0x02, 0x08, 0x01];
        var faults = (await protos.CheckAsync(Cluster.Descriptor.FullName, [.. new Cluster { Name = "a" }.ToByteArray(), .. limit])).Faults;

        faults.Should().Equal("max_requests_per_connection: is deprecated");
    }

    [Theory]
    [InlineData("0a016112020a00", null)]
    [InlineData("12020a000a0161", "is written in other bytes: 7, not 7, other from 0 on")]
    [InlineData("0a016212020a000a0161", "is written in other bytes: 10, not 7, other from 2 on")]
    [InlineData("0a81006112020a00", "is written in other bytes: 8, not 7, other from 1 on")]
    public async Task Non_canonical_bytes_are_reported(string hex, string? fault)
    {
        var faults = (await protos.CheckAsync(ClusterLoadAssignment.Descriptor.FullName, Convert.FromHexString(hex))).Faults;

        faults.Where(f => !f.Contains("breaks")).Should().Equal(fault is null ? [] : [fault]);
    }

    [Theory]
    [InlineData("0a0561", "not a message of envoy.config.endpoint.v3.ClusterLoadAssignment: ")]
    [InlineData("0801", "cluster_name: wire type 0 instead of 2")]
    [InlineData("0a02c328", "cluster_name: a string that is not UTF-8")]
    public async Task Bytes_of_another_message_are_reported(string hex, string fault) =>
        (await protos.CheckAsync(ClusterLoadAssignment.Descriptor.FullName, Convert.FromHexString(hex)))
            .Faults.Should()
            .Contain(f => f.StartsWith(fault, StringComparison.Ordinal));

    [Fact]
    public async Task Unknown_enum_number_without_rule_is_reported()
    {
        var listener = Listener(Any.Pack(new Router()));
        listener.TrafficDirection = (TrafficDirection)7;

        await ExpectAsync(listener, "traffic_direction: 7 is no value of envoy.config.core.v3.TrafficDirection");
    }

    [Theory]
    [InlineData("""{"nope":1}""", "nope: unknown field of envoy.config.bootstrap.v3.Bootstrap")]
    [InlineData(
        """{"staticResources":{"clusters":[{"name":"a","nope":{} }]} }""",
        "staticResources.clusters[0].nope: unknown field of envoy.config.cluster.v3.Cluster"
    )]
    [InlineData(
        """{"static_resources":{"clusters":[{"name":"a","transport_socket":{"name":"t","typed_config":"""
            + """{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext","nope":1} } }]} }""",
        "static_resources.clusters[0].transport_socket.typed_config[envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext].nope: "
            + "unknown field of envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    )]
    [InlineData(
        """{"static_resources":{"clusters":[{"name":"a","type":"NOPE"}]} }""",
        "static_resources.clusters[0].type: \"NOPE\" is not a value of envoy.config.cluster.v3.Cluster.DiscoveryType"
    )]
    [InlineData(
        """{"static_resources":{"clusters":[{"name":"a","connect_timeout":"5"}]} }""",
        "static_resources.clusters[0].connect_timeout: \"5\" is not a duration such as 1.5s"
    )]
    [InlineData("""{"static_resources":{"clusters":[{"name":1}]} }""", "static_resources.clusters[0].name: 1 is not a string")]
    [InlineData("""{"static_resources":{"clusters":{} } }""", "static_resources.clusters: {} is not a list")]
    [InlineData(
        """{"admin":{"address":{"socket_address":{"address":"a","port_value":"x"} } } }""",
        "admin.address.socket_address.port_value: \"x\" is not a uint32"
    )]
    [InlineData(
        """{"admin":{"address":{"socket_address":{"address":"a","port_value":1,"named_port":"b"} } } }""",
        "admin.address.socket_address.named_port: set beside port_value, of which there may be one"
    )]
    [InlineData(
        """{"bootstrap_extensions":[{"name":"a","typed_config":{"@type":"type.googleapis.com/kubelb.Nope"} }]}""",
        "bootstrap_extensions[0].typed_config: the type \"type.googleapis.com/kubelb.Nope\" is not published"
    )]
    public async Task Json_with_unknown_field_is_reported(string json, string fault) =>
        (await protos.CheckAsync("envoy.config.bootstrap.v3.Bootstrap", json)).Faults.Should().Contain(fault);

    private static Cluster Sound() =>
        new()
        {
            Name = "a",
            ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
            LoadAssignment = new ClusterLoadAssignment
            {
                ClusterName = "a",
                Endpoints =
                {
                    new LocalityLbEndpoints
                    {
                        LbEndpoints =
                        {
                            new LbEndpoint
                            {
                                Endpoint = new Endpoint
                                {
                                    Address = new Address
                                    {
                                        SocketAddress = new SocketAddress { Address = "10.0.0.1", PortValue = 80 },
                                    },
                                },
                            },
                        },
                    },
                },
            },
            TypedExtensionProtocolOptions =
            {
                ["a.b"] = Any.Pack(
                    new HttpProtocolOptions
                    {
                        ExplicitHttpConfig = new HttpProtocolOptions.Types.ExplicitHttpConfig
                        {
                            Http2ProtocolOptions = new Http2ProtocolOptions(),
                        },
                    }
                ),
            },
        };

    private static Listener Listener(Any filter) =>
        new()
        {
            Name = "a",
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
                        new Filter { Name = "f", TypedConfig = filter },
                    },
                },
            },
        };

    // Generated code preserves unknown fields.
    private static T With<T>(T message)
        where T : IMessage<T>, new() => (T)message.Descriptor.Parser.ParseFrom([.. message.ToByteArray(), .. Unknown]);

    private Task ExpectAsync(IMessage message, string fault) => ExpectAsync(message, message.ToByteArray(), fault);

    private async Task ExpectAsync(IMessage message, byte[] bytes, string fault) =>
        (await protos.CheckAsync(message.Descriptor.FullName, bytes)).Faults.Should().Contain(fault);
}
