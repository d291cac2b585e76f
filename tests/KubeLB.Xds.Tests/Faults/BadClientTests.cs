using System.Net.Sockets;
using Grpc.Core;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Tests.Faults;

/// <summary>Clients that violate the protocol, stall or reconnect in large numbers do not affect others.</summary>
[Trait("Threat", "xds-streams-overload")]
public sealed class BadClientTests : IAsyncLifetime
{
    private XdsHost _host = null!;
    private DeltaClient _good = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await XdsHost.StartAsync();
        _host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a")));
        _good = new DeltaClient(_host.Connect());
        await _good.SendAsync(ResourceTypes.Cluster);
        await _good.TakeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _good.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Stream_with_too_many_initial_resources_is_ended()
    {
        await using var host = await XdsHost.StartAsync(o => o.MaxSubscribedNames = 2);
        using var client = new DeltaClient(host.Connect());
        await client.SendAsync(ResourceTypes.Cluster, has: new[] { "a", "b", "c" }.ToDictionary(n => n, _ => "1"));

        (await client.EndAsync())
            .Status.Should()
            .Match<Status>(s => s.StatusCode == StatusCode.ResourceExhausted && s.Detail.Contains("initial resources: at most 2"));
    }

    [Fact]
    public async Task Client_without_acknowledgement_receives_one_response()
    {
        using var silent = new DeltaClient(_host.Connect());
        await silent.SendAsync(ResourceTypes.Cluster);
        await silent.ReceiveAsync();
        for (var i = 1; i <= 20; i++)
        {
            await TheGoodOneIsServedAsync(i);
        }

        var status = _host.Streams.Describe()[1].Types.Single();
        status.Awaiting.Should().BeTrue();
        status.Resources.Should().Be(1);
    }

    [Fact]
    public async Task Client_that_rejects_everything_receives_each_state_once()
    {
        using var rejecting = new DeltaClient(_host.Connect());
        await rejecting.SendAsync(ResourceTypes.Cluster);
        for (var i = 1; i <= 20; i++)
        {
            await rejecting.NackAsync(await rejecting.ReceiveAsync(), $"no {i}");
            await TheGoodOneIsServedAsync(i);
        }

        await rejecting.NackAsync(await rejecting.ReceiveAsync(), "the last");
        await Eventually.HoldsAsync(
            () => _host.Streams.Describe()[1].Types.Single().Rejection?.Message == "the last",
            "the last rejection"
        );
        _host.Streams.Describe()[1].Types.Single().Awaiting.Should().BeFalse("nothing is sent again");
    }

    [Fact]
    public async Task Thousand_concurrent_reconnects_are_served_and_leave_no_state()
    {
        for (var storm = 0; storm < 2; storm++)
        {
            var has = _host.Cache.List("n", ResourceTypes.Cluster).ToDictionary(r => r.Name, r => r.Version);
            var channels = Enumerable.Range(0, 20).Select(_ => _host.Connect()).ToList();
            var clients = Enumerable.Range(0, 1_000).Select(i => new DeltaClient(channels[i % 20])).ToList();
            await Task.WhenAll(clients.Select(c => c.SendAsync(ResourceTypes.Cluster, has: has)));
            await Eventually.HoldsAsync(() => _host.Streams.Count == 1_001, "1,000 streams");
            var name = $"storm-{storm}";
            _host.Cache.Update("n", t => t.Set(name, Samples.Cluster(name)));
            foreach (var answer in await Task.WhenAll(clients.Select(c => c.TakeAsync())))
            {
                answer.Resources.Select(r => r.Name).Should().Equal(name);
            }

            (await _good.TakeAsync()).Resources.Select(r => r.Name).Should().Equal(name);
            clients.ForEach(c => c.Dispose());
            channels.ForEach(c => c.Dispose());
            await Eventually.HoldsAsync(() => _host.Streams.Count == 1, "the end of the 1,000 streams");
        }
    }

    [Fact]
    public async Task Client_that_stops_reading_does_not_block_others()
    {
        // More than the transport takes in without the client's reading.
        var big = Enumerable
            .Range(0, 2_000)
            .Select(i => VersionedResource.Create($"big-{i}", Samples.Cluster(new string('x', 2_000) + i)))
            .ToList();
        _host.Cache.Update("big", t => big.ForEach(r => t.Set(r)));
        using var stalled = new DeltaClient(_host.Connect(), node: "big");
        await stalled.SendAsync(ResourceTypes.Cluster);
        await Eventually.HoldsAsync(
            () => _host.Streams.Describe().Any(s => s.Stream.Node == "big" && s.Types.Any(t => t.Awaiting)),
            "the response"
        );
        for (var i = 1; i <= 20; i++)
        {
            _host.Cache.Update("big", t => t.Set("changing", Samples.Cluster("changing", timeout: i)));
            await TheGoodOneIsServedAsync(i);
        }

        // When it reads again, it gets what it missed, once.
        (await stalled.TakeAsync())
            .Resources.Should()
            .HaveCount(2_000);
        var missed = await stalled.TakeAsync();
        missed
            .Resources.Should()
            .ContainSingle()
            .Which.Version.Should()
            .Be(_host.Cache.Find("big", ResourceTypes.Cluster, "changing")!.Version);
    }

    [Fact]
    public async Task Flood_of_requests_does_not_block_others()
    {
        using var flooding = new DeltaClient(_host.Connect());
        for (var i = 0; i < 2_000; i++)
        {
            await flooding.SendAsync(ResourceTypes.Cluster, subscribe: ["a", $"b{i % 7}"], unsubscribe: [$"b{i % 7}"], nonce: "made up");
        }

        await flooding.ReceiveAsync();
        await TheGoodOneIsServedAsync(1);
    }

    [Fact]
    public async Task Invalid_request_bytes_end_only_their_stream()
    {
        var raw = Marshallers.Create<byte[]>(b => b, b => b);
        var method = new Method<byte[], byte[]>(
            MethodType.DuplexStreaming,
            "envoy.service.discovery.v3.AggregatedDiscoveryService",
            "DeltaAggregatedResources",
            raw,
            raw
        );
        using var channel = _host.Connect();
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(method, null, new CallOptions());
        await call.RequestStream.WriteAsync([0xff, 0xff, 0xff, 0xff, 0x01]);
        var reading = () => call.ResponseStream.MoveNext(CancellationToken.None);
        (await reading.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.InvalidArgument);
        await TheGoodOneIsServedAsync(1);
    }

    [Fact]
    public async Task Invalid_HTTP_bytes_end_only_their_connection()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", _host.Port);
        await socket.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        var buffer = new byte[1024];
        using var patience = new CancellationTokenSource(Eventually.Deadline);
        while (await socket.GetStream().ReadAsync(buffer, patience.Token) > 0) { }

        await TheGoodOneIsServedAsync(1);
    }

    [Fact]
    public async Task Message_with_a_length_of_four_gigabytes_gets_a_sentence()
    {
        using var log = new ErrorLog();
        await using var host = await XdsHost.StartAsync(services: s => s.AddSingleton<ILoggerProvider>(log));
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            $"http://127.0.0.1:{host.Port}/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
        )
        {
            Version = new Version(2, 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0xff, 0xff, 0xff, 0xff, 0x01]) { Headers = { { "Content-Type", "application/grpc" } } },
            Headers = { { "TE", "trailers" } },
        };

        using var response = await http.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();

        var headers = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
        headers.GetValues("grpc-status").Should().Equal("3");
        Uri.UnescapeDataString(headers.GetValues("grpc-message").Single())
            .Should()
            .Be("Invalid request: a message is incomplete, or its length or compression is invalid.");
        log.Errors.Should().BeEmpty();
    }

    [Fact]
    public async Task Aborted_stream_logs_no_stack_trace()
    {
        using var log = new ErrorLog();
        await using var host = await XdsHost.StartAsync(services: s => s.AddSingleton<ILoggerProvider>(log));
        for (var i = 0; i < 50; i++)
        {
            using var client = new DeltaClient(host.Connect());
            await client.SendAsync(ResourceTypes.Cluster);
            await Eventually.HoldsAsync(() => host.Streams.Count == 1, "the stream is open");
            client.Dispose();
            await Eventually.HoldsAsync(() => host.Streams.Count == 0, "the stream is closed");
        }

        log.Errors.Should().BeEmpty();
        log.CategoriesOfExceptions.Distinct()
            .Should()
            .OnlyContain(c => c.StartsWith("Grpc.", StringComparison.Ordinal), "the hosts log their warnings only");
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", log.CategoriesOfExceptions.CountBy(c => c)));
    }

    private async Task TheGoodOneIsServedAsync(int i)
    {
        _host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a", timeout: 100 + i)));
        var response = await _good.TakeAsync();
        response.Resources.Should().ContainSingle().Which.Version.Should().Be(_host.Cache.Find("n", ResourceTypes.Cluster, "a")!.Version);
    }
}
