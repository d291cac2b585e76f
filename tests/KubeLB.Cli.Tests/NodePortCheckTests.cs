using KubeLB.Api.GatewayApi;
using KubeLB.Inspection.Checks;
using KubeLB.Inspection.Metrics;
using KubeLB.Inspection.Overview;
using KubeLB.Runtime.Storing;

namespace KubeLB.Cli.Tests;

/// <summary>What <c>kubelb check</c> says about node ports, from the counters of the proxies.</summary>
public class NodePortCheckTests
{
    private static readonly Connections None = new(0);

    /// <summary>What the counters of two Services of one proxy result in.</summary>
    public static TheoryData<string, Connections, Connections, CheckState, string> Counters { get; } =
        new()
        {
            { "both are reached", new(5, Requests: 9), new(3, Requests: 3), CheckState.Ok, "0 of 8" },
            { "some failed", new(5000, Failed: 2, TimedOut: 1, Requests: 9000), None, CheckState.Ok, "2 of 5,000" },
            { "the first is in progress", new(1), None, CheckState.Ok, "0 of 1" },
            { "one has no pods", new(5, Failed: 1, Requests: 4), new(3, Failed: 3), CheckState.Warning, "4 of 8" },
            { "one has no pods and is connected to", new(5, Requests: 5), new(3, Failed: 2), CheckState.Warning, "2 of 8" },
            { "neither has pods", new(2, Failed: 2), new(3, Failed: 3), CheckState.Warning, "5 of 5" },
            { "one times out", new(5, Requests: 5), new(3, Failed: 3, TimedOut: 3), CheckState.Warning, "3 of 8" },
            { "a firewall", new(2, Failed: 2, TimedOut: 2), new(10, Failed: 9, TimedOut: 9), CheckState.Failed, "11 of 12" },
        };

    [Theory]
    [MemberData(nameof(Counters))]
    public async Task State_depends_on_what_a_proxy_reaches(
        string what,
        Connections api,
        Connections web,
        CheckState expected,
        string detail
    )
    {
        var result = NodePortCheck.Of(new TrafficSamples([await SampleAsync("shop", (api, web))], []));

        (result.State, result.Detail).Should().Be((expected, $"{detail} connections failed since the proxies started"), what);
        (result.Hint is null).Should().Be(expected == CheckState.Ok);
    }

    [Fact]
    public async Task Services_that_a_proxy_does_not_reach_are_named()
    {
        var samples = await Task.WhenAll(Enumerable.Range(0, 9).Select(i => SampleAsync($"t{i}", (new(1, Failed: 1), new(1, Failed: 1)))));

        var result = NodePortCheck.Of(new TrafficSamples(samples, []));

        result
            .Reason.Should()
            .StartWith("No connection of a proxy succeeded to default/api:80 of tenant t0, default/web:80 of tenant t0, ")
            .And.EndWith("default/api:80 of tenant t2, 13 more.");
        result.Hint.Should().Contain("ready pods");
    }

    [Fact]
    public async Task One_of_two_proxies_that_is_blocked_fails_the_check()
    {
        var reached = (new Connections(9, Requests: 9), new Connections(9, Requests: 9));
        var blocked = (new Connections(3, Failed: 3, TimedOut: 3), None);

        var result = NodePortCheck.Of(new TrafficSamples([await SampleAsync("shop", reached, blocked)], []));

        (result.State, result.Reason)
            .Should()
            .Be((CheckState.Failed, "Connections time out, and none succeeded, from pod tenant-shop/p1."));
        result.Hint.Should().Contain("30000-32767");
    }

    [Fact]
    public async Task Service_that_one_of_two_routes_reaches_is_reached()
    {
        var sample = await SampleAsync("shop", (new(3, Failed: 3), None));
        var other = await ReadAsync(Text("a-TCP", new(3, Failed: 3)) + Text("a2-TCP", new(1, Requests: 1)));

        NodePortCheck
            .Of(new TrafficSamples([sample with { Pods = [new PodSample("uid-p0", 0, other)] }], []))
            .State.Should()
            .Be(CheckState.Ok);
    }

    [Fact]
    public async Task Without_connections_or_permission_nothing_is_claimed()
    {
        var unused = NodePortCheck.Of(new TrafficSamples([await SampleAsync("shop", (None, None))], []));
        (unused.State, unused.Reason).Should().Be((CheckState.NotChecked, "The proxies have opened no connection since they started."));
        unused.Hint.Should().Contain("--probe");

        var none = NodePortCheck.Of(new TrafficSamples([], []));
        (none.State, none.Hint).Should().Be((CheckState.NotChecked, null));
        none.Reason.Should().StartWith("There are no proxy pods.");

        var forbidden = new TrafficSample(Proxies("shop", 1), [], [new StatusProblem("Forbidden", "No permission.")]);
        var unread = NodePortCheck.Of(new TrafficSamples([forbidden], []));
        (unread.State, unread.Reason).Should().Be((CheckState.NotChecked, "No permission."));
    }

    // For each pod, the connections to default/api and to default/web.
    private static async Task<TrafficSample> SampleAsync(string tenant, params (Connections Api, Connections Web)[] pods)
    {
        var samples = new List<PodSample>();
        foreach (var (api, web) in pods)
        {
            var text =
                Text("a-TCP", api)
                + Text("w-TCP", web)
                // The proxy's own cluster, and that of a Service that was deleted.
                + Text("kubelb_xds", new(7, Failed: 7, TimedOut: 7))
                + Text("deleted-TCP", new(7, Failed: 7, TimedOut: 7));
            samples.Add(new PodSample($"uid-p{samples.Count}", 0, await ReadAsync(text)));
        }

        return new TrafficSample(Proxies(tenant, pods.Length), samples, []);
    }

    private static async Task<ProxyCounters> ReadAsync(string text) =>
        (await ProxyCounters.ReadAsync(new StringReader(text), CancellationToken.None))!;

    private static TenantProxies Proxies(string tenant, int pods) =>
        new(
            tenant,
            [.. Enumerable.Range(0, pods).Select(i => (new ResourceKey($"tenant-{tenant}", $"p{i}"), $"uid-p{i}"))],
            new Dictionary<string, TrafficTarget>
            {
                ["a-TCP"] = new(HttpRoute.KindName, "default", "r") { Service = "default/api:80" },
                ["a2-TCP"] = new(HttpRoute.KindName, "default", "r2") { Service = "default/api:80" },
                ["w-TCP"] = new(HttpRoute.KindName, "default", "r") { Service = "default/web:80" },
            }
        );

    private static string Text(string cluster, Connections connections)
    {
        var label = $"{{envoy_cluster_name=\"{cluster}\"}}";
        return $"envoy_cluster_upstream_cx_total{label} {connections.Attempts}\n"
            + $"envoy_cluster_upstream_cx_connect_fail{label} {connections.Failed}\n"
            + $"envoy_cluster_upstream_cx_connect_timeout{label} {connections.TimedOut}\n"
            + $"envoy_cluster_upstream_rq_total{label} {connections.Requests}\n";
    }

    /// <summary>Counters of a cluster of Envoy.</summary>
    public sealed record Connections(int Attempts, int Failed = 0, int TimedOut = 0, int Requests = 0);
}
