using KubeLB.Api.GatewayApi;
using KubeLB.Inspection.Checks;
using KubeLB.Inspection.Metrics;
using KubeLB.Inspection.Overview;
using KubeLB.Runtime.Storing;

namespace KubeLB.Cli.Tests;

/// <summary>What <c>kubelb check</c> says about node ports, from the counters of the proxies.</summary>
public class NodePortCheckTests
{
    [Theory]
    [InlineData(5, 0, 3, 0, CheckState.Ok, "0 of 8 connections failed since the proxies started")]
    [InlineData(5000, 2, 0, 0, CheckState.Ok, "2 of 5,000 connections failed since the proxies started")]
    [InlineData(5, 1, 3, 3, CheckState.Warning, "4 of 8 connections failed since the proxies started")]
    [InlineData(0, 0, 3, 3, CheckState.Failed, "3 of 3 connections failed since the proxies started")]
    [InlineData(2, 2, 3, 3, CheckState.Failed, "5 of 5 connections failed since the proxies started")]
    public async Task State_depends_on_whether_a_tenants_proxies_reach_some_of_its_Services(
        int api,
        int apiFailed,
        int web,
        int webFailed,
        CheckState expected,
        string detail
    )
    {
        var result = NodePortCheck.Of(new TrafficSamples([await SampleAsync("shop", (api, apiFailed), (web, webFailed))], []));

        (result.State, result.Detail).Should().Be((expected, detail));
        (result.Hint is null).Should().Be(expected == CheckState.Ok);
        if (expected == CheckState.Warning)
        {
            result.Reason.Should().Be("No connection succeeded to default/web:80 of tenant shop.");
        }
    }

    [Fact]
    public async Task One_tenant_that_is_not_reached_fails_the_check_although_others_are()
    {
        var result = NodePortCheck.Of(
            new TrafficSamples([await SampleAsync("shop", (9, 0), (9, 0)), await SampleAsync("blog", (3, 3), (2, 2))], [])
        );

        result.State.Should().Be(CheckState.Failed);
        result.Reason.Should().Be("No connection succeeded to default/api:80 of tenant blog, default/web:80 of tenant blog.");
        result.Hint.Should().Contain("30000-32767").And.Contain("ready pods");
    }

    [Fact]
    public async Task Many_Services_are_not_listed()
    {
        var samples = await Task.WhenAll(Enumerable.Range(0, 9).Select(i => SampleAsync($"t{i}", (1, 1), (1, 1))));

        NodePortCheck.Of(new TrafficSamples(samples, [])).Reason.Should().EndWith("default/api:80 of tenant t2, 13 more.");
    }

    [Fact]
    public async Task Without_connections_or_permission_nothing_is_claimed()
    {
        var unused = NodePortCheck.Of(new TrafficSamples([await SampleAsync("shop", (0, 0), (0, 0))], []));
        (unused.State, unused.Reason).Should().Be((CheckState.NotChecked, "The proxies have opened no connection since they started."));
        unused.Hint.Should().Contain("--probe");

        var none = NodePortCheck.Of(new TrafficSamples([], []));
        (none.State, none.Hint).Should().Be((CheckState.NotChecked, null));
        none.Reason.Should().StartWith("There are no proxy pods.");

        var forbidden = new TrafficSample(Proxies("shop"), [], [new StatusProblem("Forbidden", "No permission.")]);
        var unread = NodePortCheck.Of(new TrafficSamples([forbidden], []));
        (unread.State, unread.Reason).Should().Be((CheckState.NotChecked, "No permission."));
    }

    private static async Task<TrafficSample> SampleAsync(string tenant, (int Attempts, int Failed) api, (int Attempts, int Failed) web)
    {
        var text =
            Text("a-TCP", api)
            + Text("w-TCP", web)
            // The proxy's own cluster, and that of a Service that was deleted.
            + Text("kubelb_xds", (7, 7))
            + Text("deleted-TCP", (7, 7));
        var counters = await ProxyCounters.ReadAsync(new StringReader(text), CancellationToken.None);
        return new TrafficSample(Proxies(tenant), [new PodSample("uid", 0, counters!)], []);
    }

    private static TenantProxies Proxies(string tenant) =>
        new(
            tenant,
            [(new ResourceKey($"tenant-{tenant}", "p"), "uid")],
            new Dictionary<string, TrafficTarget>
            {
                ["a-TCP"] = new(HttpRoute.KindName, "default", "r") { Service = "default/api:80" },
                ["w-TCP"] = new(HttpRoute.KindName, "default", "r") { Service = "default/web:80" },
            }
        );

    private static string Text(string cluster, (int Attempts, int Failed) connections) =>
        $"envoy_cluster_upstream_cx_total{{envoy_cluster_name=\"{cluster}\"}} {connections.Attempts}\n"
        + $"envoy_cluster_upstream_cx_connect_fail{{envoy_cluster_name=\"{cluster}\"}} {connections.Failed}\n";
}
