using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Tests.Wire;

namespace KubeLB.Xds.Tests.Protocol;

/// <summary>The rejected resources of a client, and the end of rejections.</summary>
public sealed class RejectedResourcesTests : IAsyncLifetime
{
    private XdsHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await XdsHost.StartAsync();

    public async ValueTask DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Only_resources_named_in_the_error_are_rejected()
    {
        using var client = new DeltaClient(_host.Connect());
        Update("web-80-TCP", "api-80-TCP", "db-5432-TCP");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.NackAsync(
            await client.ReceiveAsync(),
            "Error adding/updating cluster(s) web-80-TCP: no such filter, db-5432-TCP: bad timeout"
        );

        await RejectedAsync("db-5432-TCP", "web-80-TCP");
        var status = Status();
        status.Rejection!.Resources.Should().Equal("web-80-TCP", "db-5432-TCP");
        status.Rejection.Version.Should().Be(status.SentVersion);
        status.Rejected.Keys.Should().BeEquivalentTo("web-80-TCP", "db-5432-TCP");
    }

    [Fact]
    public async Task Error_without_names_rejects_all_resources_of_the_response()
    {
        using var client = new DeltaClient(_host.Connect());
        Update("a");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.TakeAsync();
        Update("b", "c");
        await client.NackAsync(await client.ReceiveAsync(), "malformed");

        await RejectedAsync("b", "c");
    }

    [Fact]
    public async Task Acknowledging_other_resources_does_not_end_a_rejection()
    {
        using var client = new DeltaClient(_host.Connect());
        Update("a");
        await client.SendAsync(ResourceTypes.Cluster);
        var rejected = await client.ReceiveAsync();
        await client.NackAsync(rejected, "a is bad");
        await RejectedAsync("a");

        Update("b");
        var taken = await client.TakeAsync();
        await Eventually.HoldsAsync(() => Status().AcknowledgedNonce == taken.Nonce, "the acknowledgement");
        Status().Rejection.Should().BeNull();
        Status().Rejected["a"].Message.Should().Be("a is bad");

        _host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a", timeout: 1)));
        await client.TakeAsync();
        await RejectedAsync();
    }

    // Envoy decodes all of a response before it takes any of it: of one list that breaks a rule it names nothing, and takes none of the
    // others.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Resources_rejected_with_an_invalid_one_are_resent_with_the_next_change(bool changes)
    {
        await using var host = await XdsHost.StartAsync();
        host.Cache.Update("n", t => t.Set("good", Samples.Endpoints("good", 1)).Set("bad", Samples.Endpoints("bad", 1)));
        using var client = new DeltaClient(host.Connect());
        await client.SendAsync(ResourceTypes.ClusterLoadAssignment, subscribe: ["good", "bad"]);
        await client.NackAsync(await client.ReceiveAsync(), "Proto constraint validation failed");
        await client.SendAsync(ResourceTypes.Secret, subscribe: ["absent"]);
        (await client.TakeAsync()).TypeUrl.Should().Be(ResourceTypes.Secret, "endpoints have not changed");

        host.Cache.Update(
            "n",
            t => _ = changes ? t.Set("bad", Samples.Endpoints("bad", 2)) : t.Remove(ResourceTypes.ClusterLoadAssignment, "bad")
        );
        var names = new List<string>();
        while (!names.Contains("good") || !names.Contains(changes ? "bad" : "-bad"))
        {
            var response = await client.TakeAsync();
            names.AddRange(response.Resources.Select(r => r.Name).Concat(response.RemovedResources.Select(r => "-" + r)));
        }

        names.Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Removed_resource_is_no_longer_rejected()
    {
        using var client = new DeltaClient(_host.Connect());
        Update("a");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.NackAsync(await client.ReceiveAsync(), "a is bad");
        await RejectedAsync("a");

        _host.Cache.Update("n", t => t.Remove(ResourceTypes.Cluster, "a"));
        (await client.TakeAsync()).RemovedResources.Should().Equal("a");
        await RejectedAsync();
    }

    [Fact]
    public async Task New_rejection_of_one_resource_ends_those_of_others()
    {
        using var client = new DeltaClient(_host.Connect());
        Update("a", "b");
        await client.SendAsync(ResourceTypes.Cluster);
        await client.NackAsync(await client.ReceiveAsync(), "malformed");
        await RejectedAsync("a", "b");

        _host.Cache.Update("n", t => t.Set("a", Samples.Cluster("a", timeout: 1)).Set("b", Samples.Cluster("b", timeout: 1)));
        await client.NackAsync(await client.ReceiveAsync(), "Error adding/updating cluster(s) b: still");
        await RejectedAsync("b");
    }

    [Fact]
    public async Task Whole_state_response_is_rejected_for_unchanged_resources()
    {
        using var client = new SotwClient(_host.Connect());
        Update("a-1", "b-1");
        await client.SendAsync(ResourceTypes.Cluster);
        await NackAsync(client, "Error adding/updating cluster(s) a-1: bad");
        await RejectedAsync("a-1");

        // It changes b-1 only, and Envoy stumbles over a-1 again.
        _host.Cache.Update("n", t => t.Set("b-1", Samples.Cluster("b-1", timeout: 1)));
        await NackAsync(client, "Error adding/updating cluster(s) a-1: bad");
        await RejectedAsync("a-1");

        _host.Cache.Update("n", t => t.Set("a-1", Samples.Cluster("a-1", timeout: 1)));
        await client.AckAsync(await client.ReceiveAsync());
        await RejectedAsync();
    }

    [Theory]
    [InlineData(
        "Error adding/updating listener(s) default-web-80-TCP: error adding listener: '0.0.0.0:10001' is in use\n",
        "default-web-80-TCP"
    )]
    [InlineData(
        "Proto constraint validation failed (ClusterValidationError.ConnectTimeout): name: \"default-web-80-TCP\"",
        "default-web-80-TCP"
    )]
    [InlineData("duplicate listener default-web-80-TCP found", "default-web-80-TCP")]
    [InlineData("cluster nodeport-30080.", "nodeport-30080")]
    [InlineData("default-web-80-TCP: a, nodeport-30080: b, default-web-80-TCP: c", "default-web-80-TCP nodeport-30080")]
    [InlineData("malformed IP address: x", "")]
    [InlineData("", "")]
    public void Resource_names_are_found_in_error_messages(string message, string names)
    {
        string[] known = ["default-web-80-TCP", "nodeport-30080"];

        string.Join(' ', ErrorMessage.FindResourceNames(message, known.Contains)).Should().Be(names);
    }

    private static async Task NackAsync(SotwClient client, string error)
    {
        var response = await client.ReceiveAsync();
        await client.SendAsync(response.TypeUrl, nonce: response.Nonce, error: error);
    }

    private void Update(params string[] clusters) =>
        _host.Cache.Update("n", t => Array.ForEach(clusters, name => t.Set(name, Samples.Cluster(name))));

    private XdsTypeStatus Status() => _host.Streams.Describe().Single().Types.Single();

    private Task RejectedAsync(params string[] names) =>
        Eventually.HoldsAsync(
            () => Status().Rejected.Keys.Order(StringComparer.Ordinal).SequenceEqual(names) && !Status().Awaiting,
            $"rejected: {string.Join(", ", names)}"
        );
}
