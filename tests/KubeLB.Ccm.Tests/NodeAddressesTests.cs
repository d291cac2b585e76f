using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Tests;

/// <summary>Addresses are written from the tenant's nodes.</summary>
public sealed class NodeAddressesTests
{
    [Fact]
    public async Task Node_heartbeats_cause_no_reconcile_and_no_write()
    {
        const int Heartbeats = 200;
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "10.0.0.1"));
        await AddressesAsync(fixture, "10.0.0.1");
        await ReconcileCounts.WaitUntilIdleAsync(() => [fixture.Host]);
        var reconciles = await ReconcileCounts.OfAsync(fixture.Host, "node");
        var writes = Writes(fixture);

        V1Node last = null!;
        for (var i = 0; i < Heartbeats; i++)
        {
            last = await PatchAsync(
                fixture,
                "n1",
                $$$"""
                {"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T00:{{{i / 60:00}}}:{{{i
                    % 60:00}}}Z"}],"images":[{"names":["i{{{i}}}"],"sizeBytes":1}]}
                """
            );
        }

        await ObservedAsync(fixture, last);
        (await ReconcileCounts.OfAsync(fixture.Host, "node")).Should().Be(reconciles);
        Writes(fixture).Should().Be(writes);
    }

    [Fact]
    public async Task Nodes_created_together_are_written_together()
    {
        const int Nodes = 40;
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Node("n0", "10.0.0.100"));
        await AddressesAsync(fixture, "10.0.0.100");
        var writes = Writes(fixture);

        for (var i = 1; i <= Nodes; i++)
        {
            await fixture.CreateAsync(TestObjects.Node($"n{i}", $"10.0.1.{i}"));
        }

        await AddressesAsync(
            fixture,
            [.. Enumerable.Range(1, Nodes).Select(i => $"10.0.1.{i}").Append("10.0.0.100").Order(StringComparer.Ordinal)]
        );
        (Writes(fixture) - writes).Should().BeInRange(1, Nodes / 4);
    }

    [Fact]
    public async Task Unready_node_is_removed_unless_no_node_is_ready()
    {
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "10.0.0.1"));
        await fixture.CreateAsync(TestObjects.Node("n2", "10.0.0.2"));
        await AddressesAsync(fixture, "10.0.0.1", "10.0.0.2");

        await PatchAsync(fixture, "n1", NotReady);
        await AddressesAsync(fixture, "10.0.0.2");

        var writes = Writes(fixture);
        await ObservedAsync(
            fixture,
            await fixture
                .Tenant.Client<V1Node>()
                .MergePatchAsync(new ResourceKey("", "n2"), Json("""{"spec":{"unschedulable":true}}"""), default)
        );
        Writes(fixture).Should().Be(writes);

        await PatchAsync(fixture, "n2", NotReady);
        await AddressesAsync(fixture, "10.0.0.1", "10.0.0.2");
    }

    [Fact]
    public async Task Nodes_without_addresses_are_logged_once_and_empty_the_Addresses()
    {
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "10.0.0.1"));
        await AddressesAsync(fixture, "10.0.0.1");
        var warnings = Warnings(fixture);

        await fixture
            .Tenant.Client<V1Node>()
            .MergePatchAsync(
                new ResourceKey("", "n1"),
                Json("""{"metadata":{"labels":{"node.kubernetes.io/exclude-from-external-load-balancers":""}}}"""),
                default
            );

        await CcmFixture.WaitAsync<Addresses>(
            fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec is { Addresses: null },
            "has no addresses"
        );
        Warnings(fixture).Should().Be(warnings + 1);
    }

    [Fact]
    public async Task Flags_select_the_nodes_and_limit_their_number()
    {
        await using var fixture = await CcmFixture.CreateAsync();
        for (var i = 1; i <= 4; i++)
        {
            var labels = new Dictionary<string, string>
            {
                ["pool"] = i == 4 ? "db" : "edge",
                ["topology.kubernetes.io/zone"] = i == 1 ? "a" : "b",
            };
            await fixture.CreateAsync(TestObjects.Node($"n{i}", $"10.0.0.{i}", labels: labels));
        }

        await fixture.StartCcmAsync(options => options with { NodeAddressLabelSelector = "pool=edge", MaxNodeAddressCount = 2 });

        var addresses = await CcmFixture.WaitAsync<Addresses>(
            fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: > 0 },
            "is written"
        );
        addresses.Spec!.Addresses!.Select(a => a.Ip).Should().HaveCount(2).And.Contain("10.0.0.1").And.NotContain("10.0.0.4");
    }

    [Fact]
    public async Task Deleted_Addresses_are_recreated()
    {
        await using var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Node("n1", "10.0.0.1"));
        var before = await AddressesAsync(fixture, "10.0.0.1");

        await fixture.Management.Client<Addresses>().DeleteAsync(ResourceKey.Of(before), null, default);

        (await AddressesAsync(fixture, "10.0.0.1")).Metadata.Uid.Should().NotBe(before.Metadata.Uid);
    }

    private const string NotReady = """{"conditions":[{"type":"Ready","status":"Unknown"}]}""";

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private static Task<V1Node> PatchAsync(CcmFixture fixture, string name, string status) =>
        CcmFixture.PatchStatusAsync<V1Node>(fixture.Tenant, "", name, status);

    private static Task<Addresses> AddressesAsync(CcmFixture fixture, params string[] expected) =>
        CcmFixture.WaitAsync<Addresses>(
            fixture.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses?.Select(x => x.Ip).SequenceEqual(expected) == true,
            $"names {string.Join(", ", expected)}"
        );

    private static int Writes(CcmFixture fixture) => fixture.ManagementServer.Requests.Count(r => CcmFixture.IsOfCcm(r) && r.IsWrite);

    private static int Warnings(CcmFixture fixture) =>
        fixture.Log.Warnings.Count(w => w.StartsWith("No selected node has an address", StringComparison.Ordinal));

    // When the CCM has this version of the Node in its cache, it has observed all earlier changes.
    private static Task ObservedAsync(CcmFixture fixture, V1Node node)
    {
        var cache = fixture.Host.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Tenant).Informer<V1Node>();
        return Eventually.HoldsAsync(
            () => cache.Get("", node.Metadata.Name)?.Metadata.ResourceVersion == node.Metadata.ResourceVersion,
            "the CCM observes the node"
        );
    }
}
