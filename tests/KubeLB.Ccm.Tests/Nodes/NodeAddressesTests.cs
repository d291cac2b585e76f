using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Tests.Nodes;

/// <summary>The tenant's nodes as they come, go and send heartbeats, and what is written of them.</summary>
public sealed class NodeAddressesTests
{
    [Fact]
    public async Task A_storm_of_heartbeats_costs_no_reconcile_and_no_write()
    {
        const int Heartbeats = 200;
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Node("n1", "10.0.0.1"));
        await AddressesAsync(bed, "10.0.0.1");
        var reconciles = await ReconcilesAsync(bed);
        var writes = Writes(bed);

        V1Node last = null!;
        for (var i = 0; i < Heartbeats; i++)
        {
            last = await PatchAsync(
                bed,
                "n1",
                $$$"""
                {"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T00:{{{i / 60:00}}}:{{{i
                    % 60:00}}}Z"}],"images":[{"names":["i{{{i}}}"],"sizeBytes":1}]}
                """
            );
        }

        await SeenAsync(bed, last);
        (await ReconcilesAsync(bed)).Should().Be(reconciles);
        Writes(bed).Should().Be(writes);
    }

    [Fact]
    public async Task Nodes_that_come_together_are_written_together()
    {
        const int Nodes = 40;
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Node("n0", "10.0.0.100"));
        await AddressesAsync(bed, "10.0.0.100");
        var writes = Writes(bed);

        for (var i = 1; i <= Nodes; i++)
        {
            await bed.CreateAsync(Given.Node($"n{i}", $"10.0.1.{i}"));
        }

        await AddressesAsync(
            bed,
            [.. Enumerable.Range(1, Nodes).Select(i => $"10.0.1.{i}").Append("10.0.0.100").Order(StringComparer.Ordinal)]
        );
        (Writes(bed) - writes).Should().BeInRange(1, Nodes / 4);
    }

    [Fact]
    public async Task A_node_that_is_not_ready_leaves_a_cordoned_one_stays_and_the_last_ones_are_kept()
    {
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Node("n1", "10.0.0.1"));
        await bed.CreateAsync(Given.Node("n2", "10.0.0.2"));
        await AddressesAsync(bed, "10.0.0.1", "10.0.0.2");

        await PatchAsync(bed, "n1", NotReady);
        await AddressesAsync(bed, "10.0.0.2");

        var writes = Writes(bed);
        await SeenAsync(
            bed,
            await bed
                .Tenant.Client<V1Node>()
                .MergePatchAsync(new ResourceKey("", "n2"), Json("""{"spec":{"unschedulable":true}}"""), default)
        );
        Writes(bed).Should().Be(writes);

        await PatchAsync(bed, "n2", NotReady);
        await AddressesAsync(bed, "10.0.0.1", "10.0.0.2");
    }

    [Fact]
    public async Task Without_any_address_it_is_logged_once_and_the_object_says_so()
    {
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Node("n1", "10.0.0.1"));
        await AddressesAsync(bed, "10.0.0.1");
        var warnings = Warnings(bed);

        await bed
            .Tenant.Client<V1Node>()
            .MergePatchAsync(
                new ResourceKey("", "n1"),
                Json("""{"metadata":{"labels":{"node.kubernetes.io/exclude-from-external-load-balancers":""}}}"""),
                default
            );

        await CcmFixture.WaitAsync<Addresses>(
            bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec is { Addresses: null },
            "names none"
        );
        Warnings(bed).Should().Be(warnings + 1);
    }

    [Fact]
    public async Task Flags_choose_the_nodes_and_their_number()
    {
        await using var bed = await CcmFixture.CreateAsync();
        for (var i = 1; i <= 4; i++)
        {
            var labels = new Dictionary<string, string>
            {
                ["pool"] = i == 4 ? "db" : "edge",
                ["topology.kubernetes.io/zone"] = i == 1 ? "a" : "b",
            };
            await bed.CreateAsync(Given.Node($"n{i}", $"10.0.0.{i}", labels: labels));
        }

        await bed.StartCcmAsync(options => options with { NodeAddressLabelSelector = "pool=edge", MaxNodeAddressCount = 2 });

        var addresses = await CcmFixture.WaitAsync<Addresses>(
            bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses is { Count: > 0 },
            "comes"
        );
        addresses.Spec!.Addresses!.Select(a => a.Ip).Should().HaveCount(2).And.Contain("10.0.0.1").And.NotContain("10.0.0.4");
    }

    [Fact]
    public async Task Addresses_that_somebody_deletes_come_back()
    {
        await using var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Node("n1", "10.0.0.1"));
        var before = await AddressesAsync(bed, "10.0.0.1");

        await bed.Management.Client<Addresses>().DeleteAsync(ResourceKey.Of(before), null, default);

        (await AddressesAsync(bed, "10.0.0.1")).Metadata.Uid.Should().NotBe(before.Metadata.Uid);
    }

    private const string NotReady = """{"conditions":[{"type":"Ready","status":"Unknown"}]}""";

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private static Task<V1Node> PatchAsync(CcmFixture bed, string name, string status) =>
        CcmFixture.PatchStatusAsync<V1Node>(bed.Tenant, "", name, status);

    private static Task<Addresses> AddressesAsync(CcmFixture bed, params string[] expected) =>
        CcmFixture.WaitAsync<Addresses>(
            bed.Management,
            CcmFixture.Namespace,
            Addresses.DefaultName,
            a => a.Spec?.Addresses?.Select(x => x.Ip).SequenceEqual(expected) == true,
            $"names {string.Join(", ", expected)}"
        );

    private static int Writes(CcmFixture bed) => bed.ManagementServer.Requests.Count(r => CcmFixture.IsOfCcm(r) && r.IsWrite);

    private static int Warnings(CcmFixture bed) =>
        bed.Log.Warnings.Count(w => w.StartsWith("No node has an address", StringComparison.Ordinal));

    // The CCM has this version of the Node in its cache: it has heard of everything before.
    private static Task SeenAsync(CcmFixture bed, V1Node node)
    {
        var cache = bed.Host.Services.GetRequiredKeyedService<Cluster>(ClusterNames.Tenant).Informer<V1Node>();
        return Eventually.HoldsAsync(
            "the CCM sees the node",
            () => cache.Get("", node.Metadata.Name)?.Metadata.ResourceVersion == node.Metadata.ResourceVersion
        );
    }

    private static async Task<double> ReconcilesAsync(CcmFixture bed) =>
        Scrape.Of(await bed.MetricsAsync()).Sum("kubelb_ccm_reconcile_total", ("controller", "node"));
}
