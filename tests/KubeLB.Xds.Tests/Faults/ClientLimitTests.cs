using Grpc.Core;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Tests.Faults;

/// <summary>What one client, or all clients of a node, can make the server hold.</summary>
public class ClientLimitTests
{
    [Fact]
    [Trait("Threat", "xds-many-streams")]
    public async Task Stream_beyond_the_limit_of_its_node_is_ended_and_others_are_served()
    {
        await using var host = await XdsHost.StartAsync(o => o.MaxStreamsPerNode = 2);
        host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a")));
        host.Cache.Update("other", t => t.Set("b", Samples.Cluster("b")));
        using var first = new DeltaClient(host.Connect());
        using var second = new DeltaClient(host.Connect());
        await first.SendAsync(ResourceTypes.Cluster);
        await second.SendAsync(ResourceTypes.Cluster);
        await first.TakeAsync();
        await second.TakeAsync();

        using (var third = new DeltaClient(host.Connect()))
        {
            await third.SendAsync(ResourceTypes.Cluster);
            (await third.EndAsync())
                .Status.Should()
                .Be(
                    new Status(StatusCode.ResourceExhausted, "Node n has 2 open streams, the maximum; close streams or run fewer proxies."),
                    because: "the limit is 2"
                );
        }

        using var other = new DeltaClient(host.Connect(), node: "other");
        await other.SendAsync(ResourceTypes.Cluster);
        await other.TakeAsync();
        host.Cache.Update("n", t => t.Set("c", Samples.Cluster("c")));
        (await first.TakeAsync()).Resources.Select(r => r.Name).Should().Equal("c");
        second.Dispose();
        await Eventually.HoldsAsync(() => host.Streams.Count == 2, "the end of the stream");
        using var fourth = new DeltaClient(host.Connect());
        await fourth.SendAsync(ResourceTypes.Cluster);
        (await fourth.TakeAsync()).Resources.Should().HaveCount(2);
    }

    [Fact]
    public async Task Rejected_streams_leave_no_state()
    {
        await using var host = await XdsHost.StartAsync(o => o.MaxStreamsPerNode = 0);
        using var client = new DeltaClient(host.Connect(), node: "made-up");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.EndAsync();
        await Eventually.HoldsAsync(() => host.Cache.Placeholders == 0, "the node to be forgotten");
        host.Streams.Count.Should().Be(0);
    }

    [Fact]
    [Trait("Threat", "xds-many-streams")]
    public async Task Connection_has_a_limited_number_of_streams()
    {
        await using var host = await XdsHost.StartAsync();
        using var channel = host.Connect();
        var clients = Enumerable.Range(0, 150).Select(_ => new DeltaClient(channel)).ToList();
        var sent = clients.ConvertAll(c => c.SendAsync(ResourceTypes.Cluster));
        await Eventually.HoldsAsync(() => host.Streams.Count == 100, "100 streams");

        clients.Take(60).ToList().ForEach(c => c.Dispose());
        await Task.WhenAll(sent.Skip(60));
        await Eventually.HoldsAsync(() => host.Streams.Count == 90, "the other streams");
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task Request_with_twenty_thousand_names_and_versions_is_accepted()
    {
        await using var host = await XdsHost.StartAsync();
        var has = Enumerable.Range(0, 20_000).ToDictionary(i => $"{new string('n', 57)}-{i:00000}-12345-TCP", _ => new string('0', 16));
        host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a")));
        using var client = new DeltaClient(host.Connect());
        await client.SendAsync(ResourceTypes.Cluster, has: has);
        var response = await client.TakeAsync();
        response.Resources.Select(r => r.Name).Should().Equal("a");
        response.RemovedResources.Should().HaveCount(20_000);
    }

    [Fact]
    public async Task Rejection_with_a_long_error_is_accepted()
    {
        await using var host = await XdsHost.StartAsync();
        host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a")));
        using var client = new DeltaClient(host.Connect());
        await client.SendAsync(ResourceTypes.Cluster);
        await client.NackAsync(await client.ReceiveAsync(), new string('e', 1_000_000));
        await Eventually.HoldsAsync(() => host.Streams.Describe().Single().Types.Single().Rejection is not null, "the rejection");
    }

    [Fact]
    [Trait("Threat", "xds-large-requests")]
    public async Task Request_above_the_size_limit_ends_its_stream_with_a_sentence_and_no_stack_trace()
    {
        using var log = new ErrorLog();
        await using var host = await XdsHost.StartAsync(services: s => s.AddSingleton<ILoggerProvider>(log));
        using var large = new DeltaClient(host.Connect());
        var sending = large.SendAsync(ResourceTypes.Cluster, subscribe: Enumerable.Repeat(new string('a', 200), 45_000));
        (await large.EndAsync())
            .Status.Should()
            .Be(
                new Status(
                    StatusCode.ResourceExhausted,
                    "A request is larger than 8388608 bytes; restart the proxy, whose first request is then smaller."
                ),
                because: "8 MiB are permitted"
            );
        // The server may end the stream before the request is sent completely.
        large.Dispose();
        await Record.ExceptionAsync(() => sending);
        log.Errors.Should().BeEmpty();
    }

    [Theory]
    [InlineData("node.id")]
    [InlineData("type_url")]
    [InlineData("Resource name")]
    [InlineData("initial")]
    [InlineData("version")]
    [InlineData("unsubscribe")]
    [InlineData("state of the world")]
    [Trait("Threat", "xds-large-requests")]
    public async Task Name_of_more_than_256_characters_ends_the_stream_with_a_sentence(string field)
    {
        using var log = new ErrorLog();
        await using var host = await XdsHost.StartAsync(services: s => s.AddSingleton<ILoggerProvider>(log));
        var name = new string('x', 257);
        RpcException end;
        if (field == "state of the world")
        {
            using var client = new SotwClient(host.Connect());
            await client.SendAsync(ResourceTypes.Cluster, [name]);
            end = await client.EndAsync();
        }
        else
        {
            using var client = new DeltaClient(host.Connect(), node: field == "node.id" ? name : "n");
            var has = new Dictionary<string, string> { [field == "initial" ? name : "a"] = field == "version" ? name : "1" };
            await client.SendAsync(
                field == "type_url" ? name : ResourceTypes.Cluster,
                subscribe: field == "Resource name" ? [name] : [],
                unsubscribe: field == "unsubscribe" ? [name] : [],
                has: has
            );
            end = await client.EndAsync();
        }

        end.StatusCode.Should().Be(StatusCode.InvalidArgument);
        end.Status.Detail.Should()
            .Be(
                $"{(field is "node.id" or "type_url" ? field : "Resource name")} {new string('x', 40)}… has 257 characters; "
                    + "at most 256 are permitted."
            );
        log.Errors.Should().BeEmpty();
        log.Lines.Should().NotContain(l => l.Contains(name));
    }

    [Fact]
    [Trait("Threat", "xds-many-streams")]
    public async Task Stream_without_a_request_is_ended()
    {
        await using var host = await XdsHost.StartAsync(o => o.FirstRequestTimeout = TimeSpan.FromMilliseconds(50));
        using var client = new DeltaClient(host.Connect());
        (await client.EndAsync())
            .Status.Should()
            .Be(
                new Status(StatusCode.DeadlineExceeded, "No request within 0.05 s; send the first request when the stream is opened."),
                because: "it sent none"
            );
    }
}
