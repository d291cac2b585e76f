using System.Net.Sockets;
using Grpc.Core;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Xds.Tests.Protocol;

/// <summary>Who gets a stream, and what ends one.</summary>
public class AdmissionTests
{
    [Fact]
    [Trait("Threat", "xds-other-tenant")]
    public async Task Denied_stream_ends_with_PermissionDenied_and_is_observed()
    {
        var denials = new Denials();
        await using var host = await XdsHost.StartAsync(services: s =>
            s.AddSingleton<IXdsAuthorizer>(new OnlyNode("mine")).AddSingleton<IXdsObserver>(denials)
        );
        using var channel = host.Connect();
        using var other = new DeltaClient(channel, node: "theirs");
        await other.SendAsync(ResourceTypes.Cluster);
        var rejected = await other.EndAsync();
        rejected.StatusCode.Should().Be(StatusCode.PermissionDenied);
        rejected.Status.Detail.Should().Be("theirs is not yours");
        denials.Nodes.Should().Equal("mine as theirs");

        host.Cache.Update("mine", t => t.Set("a", Samples.Cluster("a")));
        using var mine = new DeltaClient(channel, node: "mine");
        await mine.SendAsync(ResourceTypes.Cluster);
        (await mine.TakeAsync()).Resources.Should().ContainSingle();
    }

    [Fact]
    [Trait("Threat", "xds-other-tenant")]
    public async Task Stream_receives_only_resources_of_its_node()
    {
        await using var host = await XdsHost.StartAsync();
        host.Cache.Update("one", t => t.Set("a", Samples.Cluster("a")));
        host.Cache.Update("two", t => t.Set("b", Samples.Cluster("b")));
        using var client = new DeltaClient(host.Connect(), node: "two");
        await client.SendAsync(ResourceTypes.Cluster);
        (await client.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("b");
    }

    [Fact]
    [Trait("Threat", "xds-other-tenant")]
    public async Task Stream_without_node_id_is_rejected()
    {
        await using var host = await XdsHost.StartAsync();
        using var client = new DeltaClient(host.Connect(), node: "");
        await client.SendAsync(ResourceTypes.Cluster);
        var end = await client.EndAsync();
        end.StatusCode.Should().Be(StatusCode.InvalidArgument);
        end.Status.Detail.Should().Contain("node.id");
    }

    [Fact]
    [Trait("Threat", "xds-other-tenant")]
    public async Task Stream_with_changed_node_id_is_rejected()
    {
        await using var host = await XdsHost.StartAsync();
        using var client = new DeltaClient(host.Connect(), node: "one");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.Call.RequestStream.WriteAsync(
            new()
            {
                TypeUrl = ResourceTypes.Cluster,
                Node = new() { Id = "two" },
            }
        );
        (await client.EndAsync()).StatusCode.Should().Be(StatusCode.InvalidArgument);
    }

    [Fact]
    [Trait("Threat", "xds-other-tenant")]
    public async Task State_of_the_world_stream_with_changed_node_id_is_rejected()
    {
        await using var host = await XdsHost.StartAsync();
        using var client = new SotwClient(host.Connect(), node: "one");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.Call.RequestStream.WriteAsync(
            new()
            {
                TypeUrl = ResourceTypes.Cluster,
                Node = new() { Id = "two" },
            }
        );
        (await client.EndAsync()).StatusCode.Should().Be(StatusCode.InvalidArgument);
    }

    [Theory]
    [InlineData(ResourceTypes.Cluster)]
    [InlineData(ResourceTypes.Secret)]
    [InlineData("type.googleapis.com/google.protobuf.Any")]
    [Trait("Threat", "xds-unknown-requests")]
    public async Task Name_of_another_node_is_listed_as_removed(string typeUrl)
    {
        await using var host = await XdsHost.StartAsync();
        host.Cache.Update("one", t => t.Set("a", Samples.Cluster("a")));
        host.Cache.Update("two", t => t.Set("b", Samples.Cluster("b")));
        using var client = new DeltaClient(host.Connect(), node: "two");
        await client.SendAsync(typeUrl, subscribe: ["a"]);

        var response = await client.TakeAsync();

        response.Resources.Should().BeEmpty();
        response.RemovedResources.Should().Equal("a");
    }

    [Fact]
    [Trait("Threat", "xds-unknown-requests")]
    public async Task Aggregated_request_without_type_is_rejected()
    {
        await using var host = await XdsHost.StartAsync();
        using var client = new SotwClient(host.Connect());
        await client.SendAsync("");
        (await client.EndAsync()).Status.Detail.Should().Contain("type_url");
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(1, 3)]
    [Trait("Threat", "xds-large-requests")]
    public async Task Stream_that_exceeds_a_limit_is_ended(int types, int names)
    {
        await using var host = await XdsHost.StartAsync(o => (o.MaxTypesPerStream, o.MaxSubscribedNames) = (2, 2));
        using var client = new DeltaClient(host.Connect());
        for (var i = 0; i < types; i++)
        {
            await client.SendAsync($"type-{i}", subscribe: Enumerable.Range(0, names).Select(n => $"name-{n}"));
        }

        (await client.EndAsync()).StatusCode.Should().Be(StatusCode.ResourceExhausted);
        await Eventually.HoldsAsync(() => host.Streams.Count == 0, "the end of the stream");
    }

    [Fact]
    public async Task Stopping_server_ends_streams_with_Unavailable()
    {
        await using var host = await XdsHost.StartAsync();
        using var client = new DeltaClient(host.Connect());
        await client.SendAsync(ResourceTypes.Cluster);
        await Eventually.HoldsAsync(() => host.Streams.Count == 1, "the stream");
        var end = client.EndAsync();
        await host.DisposeAsync();
        (await end).StatusCode.Should().Be(StatusCode.Unavailable);
    }

    [Fact]
    public async Task End_closes_only_the_streams_of_the_node()
    {
        await using var host = await XdsHost.StartAsync();
        using var one = new DeltaClient(host.Connect());
        using var other = new DeltaClient(host.Connect(), node: "other");
        await one.SendAsync(ResourceTypes.Cluster);
        await other.SendAsync(ResourceTypes.Cluster);
        await Eventually.HoldsAsync(() => host.Streams.Count == 2, "the streams");

        host.Streams.End("n").Should().Be(1);

        (await one.EndAsync()).StatusCode.Should().Be(StatusCode.Unavailable);
        await Eventually.HoldsAsync(() => host.Streams.Count == 1, "the end of the stream");
        host.Streams.Describe().Should().ContainSingle().Which.Stream.Node.Should().Be("other");
    }

    [Fact]
    public async Task Uninitialized_node_is_discarded_with_its_last_stream()
    {
        await using var host = await XdsHost.StartAsync();
        using (var client = new DeltaClient(host.Connect(), node: "made-up"))
        {
            await client.SendAsync(ResourceTypes.Cluster);
            await Eventually.HoldsAsync(() => host.Streams.Count == 1, "the stream");
            host.Cache.Nodes.Should().BeEmpty();
            host.Cache.Placeholders.Should().Be(1);
        }

        await Eventually.HoldsAsync(() => host.Cache.Placeholders == 0, "the node to be forgotten");
    }

    [Fact]
    [Trait("Threat", "xds-idle-connections")]
    public async Task Idle_connection_receives_keep_alive_pings()
    {
        await using var host = await XdsHost.StartAsync(o =>
            (o.KeepAlivePingDelay, o.KeepAlivePingTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1))
        );
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", host.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Http2.Preface);
        using var patience = new CancellationTokenSource(Eventually.Deadline);
        (await Http2.ReadUntilAsync(stream, Http2.Ping, patience.Token)).Should().BeTrue("the server pings");

        // It gets no answer: the connection ends.
        (await Http2.ReadUntilAsync(stream, frame: null, patience.Token))
            .Should()
            .BeFalse();
    }

    private sealed class OnlyNode(string allowed) : IXdsAuthorizer
    {
        public ValueTask<XdsDenial?> AuthorizeAsync(string node, ServerCallContext call) =>
            ValueTask.FromResult(node == allowed ? null : new XdsDenial($"{node} is not yours", allowed));
    }

    private sealed class Denials : IXdsObserver
    {
        public List<string> Nodes { get; } = [];

        public void Denied(string node, string peer, XdsDenial denial) => Nodes.Add($"{denial.Identity} as {node}");
    }
}
