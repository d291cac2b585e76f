using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Replicas.V1;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Tests.Protocol;

/// <summary>The acknowledgement state of clients, and its exchange between replicas.</summary>
public sealed class AcknowledgementTests : IAsyncLifetime
{
    private XdsHost _host = null!;

    public async ValueTask InitializeAsync() =>
        _host = await XdsHost.StartAsync(xds => xds.ListenerRetryDelay = TimeSpan.FromMilliseconds(50));

    public async ValueTask DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Client_is_pending_before_and_acknowledged_after_its_ACK()
    {
        using var client = new DeltaClient(_host.Connect());
        Set("a");
        await client.SendAsync(ResourceTypes.Cluster);
        var response = await client.ReceiveAsync();
        States("a").Should().Equal(XdsAcknowledgementState.Pending);

        await client.AckAsync(response);
        await UntilAsync("a", XdsAcknowledgementState.Acknowledged);

        Set("a", "b");
        var second = await client.ReceiveAsync();
        States("a").Should().Equal([XdsAcknowledgementState.Acknowledged], "it has not changed");
        States("b").Should().Equal(XdsAcknowledgementState.Pending);
        await client.AckAsync(second);
        await UntilAsync("b", XdsAcknowledgementState.Acknowledged);
    }

    [Fact]
    public async Task ACK_of_an_older_version_is_ignored()
    {
        using var client = new DeltaClient(_host.Connect());
        Set("a");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.TakeAsync();
        await UntilAsync("a", XdsAcknowledgementState.Acknowledged);

        _host.Cache.Update("n", change => change.Set("a", Samples.Cluster("a", timeout: 9)));
        var newer = await client.ReceiveAsync();

        States("a").Should().Equal(XdsAcknowledgementState.Pending);
        await client.AckAsync(newer);
        await UntilAsync("a", XdsAcknowledgementState.Acknowledged);
    }

    [Fact]
    public async Task NACK_of_one_resource_leaves_the_others_acknowledged()
    {
        using var client = new DeltaClient(_host.Connect());
        Set("a", "b");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.NackAsync(await client.ReceiveAsync(), "Error adding/updating cluster(s) b: bad");

        await UntilAsync("b", XdsAcknowledgementState.Rejected);
        States("a").Should().Equal(XdsAcknowledgementState.Acknowledged);
        var both = _host.Streams.AcknowledgementOf("n", [Version("a"), Version("b")]).Should().ContainSingle().Subject;
        both.State.Should().Be(XdsAcknowledgementState.Rejected);
        both.Rejection!.Message.Should().EndWith("b: bad");
    }

    [Fact]
    public async Task Reconnecting_client_with_current_resources_is_acknowledged()
    {
        Set("a");
        using var client = new DeltaClient(_host.Connect());
        await client.SendAsync(ResourceTypes.Cluster, has: new Dictionary<string, string> { ["a"] = Version("a").Version });

        await UntilAsync("a", XdsAcknowledgementState.Acknowledged);
    }

    [Fact]
    public async Task Streams_of_one_pod_are_one_client()
    {
        Set("a");
        using var first = await ConnectAsync("pod-1");
        using var second = await ConnectAsync("pod-2");
        await first.AckAsync(await first.ReceiveAsync());
        await second.ReceiveAsync();
        using var other = await ConnectAsync("pod-1", ResourceTypes.Listener);

        await Eventually.HoldsAsync(
            () =>
                _host
                    .Streams.AcknowledgementOf("n", [Version("a")])
                    .OrderBy(c => c.Pod)
                    .Select(c => (c.Pod, c.State))
                    .SequenceEqual([("pod-1", XdsAcknowledgementState.Acknowledged), ("pod-2", XdsAcknowledgementState.Pending)]),
            "two clients"
        );
    }

    [Fact]
    public async Task Replica_request_returns_when_the_client_has_acknowledged()
    {
        Set("a");
        using var client = await ConnectAsync("pod-1");
        var response = await client.ReceiveAsync();
        using var channel = _host.Connect();
        var asking = new ReplicaService.ReplicaServiceClient(channel).GetAcknowledgementsAsync(Question(wait: 5_000)).ResponseAsync;
        asking.IsCompleted.Should().BeFalse();

        await client.AckAsync(response);

        (await asking.WaitAsync(Eventually.Deadline))
            .Clients.Should()
            .ContainSingle()
            .Which.Should()
            .Match<ClientAcknowledgement>(c => c.Pod == "pod-1" && c.State == ClientAcknowledgement.Types.State.Acknowledged);
    }

    [Fact]
    public async Task Replica_request_returns_pending_after_its_timeout()
    {
        Set("a");
        using var client = await ConnectAsync("pod-1");
        await client.ReceiveAsync();
        using var channel = _host.Connect();
        var replica = new ReplicaService.ReplicaServiceClient(channel);

        (await replica.GetAcknowledgementsAsync(Question(wait: 1)))
            .Clients.Should()
            .ContainSingle()
            .Which.State.Should()
            .Be(ClientAcknowledgement.Types.State.Pending);
        (await replica.GetAcknowledgementsAsync(new AcknowledgementsRequest { Node = "nobody", WaitMilliseconds = 5_000 }))
            .Clients.Should()
            .BeEmpty();
    }

    [Fact]
    public async Task Replica_request_of_another_client_is_denied_and_logged()
    {
        using var logs = new CapturedLogs();
        await using var host = await XdsHost.StartAsync(services: s =>
            s.AddSingleton<IXdsAuthorizer, EveryNode>().AddSingleton<ILoggerProvider>(logs)
        );
        using var channel = host.Connect();

        var asking = async () => await new ReplicaService.ReplicaServiceClient(channel).GetAcknowledgementsAsync(Question(wait: 1));

        (await asking.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.PermissionDenied);
        logs.Lines.Should()
            .ContainSingle(l => l.StartsWith("Warning Denied replica request for node n from ipv4:127.0.0.1:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Listener_that_cannot_be_bound_is_resent_until_bound()
    {
        _host.Cache.Update("n", change => change.Set("l", Samples.Listener("l", "r")).Set("m", Samples.Listener("m", "r")));
        using var client = new DeltaClient(_host.Connect());
        await client.SendAsync(ResourceTypes.Listener);
        await client.NackAsync(
            await client.ReceiveAsync(),
            "Error adding/updating listener(s) l: cannot bind '0.0.0.0:20000': Address already in use"
        );

        for (var attempt = 0; attempt < 2; attempt++)
        {
            var again = await client.ReceiveAsync();
            again.Resources.Should().ContainSingle("the other one is bound").Which.Name.Should().Be("l");
            if (attempt == 0)
            {
                await client.NackAsync(again, "Error adding/updating listener(s) l: cannot bind '0.0.0.0:20000': Address already in use");
            }
            else
            {
                await client.AckAsync(again);
            }
        }

        await Eventually.HoldsAsync(
            () => _host.Streams.Describe().Single().Types.Single().Rejected.Count == 0,
            "nothing is rejected any more"
        );
    }

    [Fact]
    public async Task Listener_rejected_for_another_reason_is_not_resent()
    {
        _host.Cache.Update("n", change => change.Set("l", Samples.Listener("l", "r")));
        using var client = new DeltaClient(_host.Connect());
        await client.SendAsync(ResourceTypes.Listener);
        await client.NackAsync(await client.ReceiveAsync(), "Error adding/updating listener(s) l: no such filter");
        _host.Cache.Update("n", change => change.Set("m", Samples.Listener("m", "r")));

        (await client.ReceiveAsync()).Resources.Should().ContainSingle().Which.Name.Should().Be("m");
    }

    private async Task<DeltaClient> ConnectAsync(string pod, string typeUrl = ResourceTypes.Cluster)
    {
        var client = new DeltaClient(_host.Connect());
        await client.Call.RequestStream.WriteAsync(
            new DeltaDiscoveryRequest
            {
                Node = new Node
                {
                    Id = "n",
                    Metadata = new Struct { Fields = { [XdsStreamInfo.PodMetadata] = Value.ForString(pod) } },
                },
                TypeUrl = typeUrl,
            }
        );
        return client;
    }

    private AcknowledgementsRequest Question(uint wait)
    {
        var request = new AcknowledgementsRequest { Node = "n", WaitMilliseconds = wait };
        if (_host.Cache.Find("n", ResourceTypes.Cluster, "a") is { } resource)
        {
            request.Resources.Add(
                new ResourceVersion
                {
                    TypeUrl = resource.TypeUrl,
                    Name = resource.Name,
                    Version = resource.Version,
                }
            );
        }

        return request;
    }

    private void Set(params string[] names) =>
        _host.Cache.Update("n", change => names.ToList().ForEach(name => change.Set(name, Samples.Cluster(name))));

    private XdsResourceVersion Version(string name) =>
        new(ResourceTypes.Cluster, name, _host.Cache.Find("n", ResourceTypes.Cluster, name)!.Version);

    private IEnumerable<XdsAcknowledgementState> States(string name) =>
        _host.Streams.AcknowledgementOf("n", [Version(name)]).Select(c => c.State);

    private Task UntilAsync(string name, XdsAcknowledgementState state) =>
        Eventually.HoldsAsync(() => States(name).SequenceEqual([state]), $"{name} is {state}");

    private sealed class EveryNode : IXdsAuthorizer
    {
        public ValueTask<XdsDenial?> AuthorizeAsync(string node, ServerCallContext call) => ValueTask.FromResult<XdsDenial?>(null);
    }
}
