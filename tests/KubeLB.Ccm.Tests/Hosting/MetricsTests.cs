using System.Text.RegularExpressions;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.Hosting;

/// <summary><c>/metrics</c> agrees with docs/reference/metrics.md.</summary>
public sealed class MetricsTests
{
    private const string Prefix = "kubelb_ccm_";
    private static readonly (string, string) ToManagement = ("cluster", "management");
    private static readonly (string, string) Routes = ("resource", "routes.kubelb.k8c.io");

    [Fact]
    public async Task Every_metric_is_documented_with_its_type_and_labels()
    {
        await using var fixture = await StartWithRouteAsync();
        var scrape = Scrape.Of(await fixture.MetricsAsync());
        var documented = Regex
            .Matches(
                (await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "reference", "metrics.md"))).Split("## Manager metrics")[
                    0
                ],
                @"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\| (.+) \|$",
                RegexOptions.Multiline
            )
            .ToDictionary(m => Prefix + m.Groups[1].Value, m => m);

        scrape.Help.Keys.Should().BeEquivalentTo(documented.Keys);
        foreach (var (name, row) in documented)
        {
            scrape.Types[name].Should().Be(row.Groups[2].Value, name);
            scrape.Help[name].Should().NotBeNullOrWhiteSpace(name);
            row.Groups[4].Value.Replace("`", "", StringComparison.Ordinal).Should().StartWith(scrape.Help[name].TrimEnd('.'), name);
            if (scrape.LabelsOf(name).ToList() is { Count: > 0 } labels)
            {
                Regex.Matches(row.Groups[3].Value, "`([a-z]+)`").Select(m => m.Groups[1].Value).Should().BeEquivalentTo(labels, name);
            }
        }
    }

    [Fact]
    public async Task Reconciles_requests_and_managed_objects_are_counted()
    {
        await using var fixture = await StartWithRouteAsync();

        var scrape = Scrape.Of(await fixture.MetricsAsync());

        scrape.Sum(Prefix + "reconcile_total", ("controller", "gateway"), ("result", "done")).Should().BePositive();
        scrape.Sum(Prefix + "reconcile_duration_seconds_count", ("controller", "httproute")).Should().BePositive();
        scrape.Sum(Prefix + "api_requests_total", ToManagement, Routes, ("verb", "create"), ("code", "201")).Should().Be(2);
        scrape.Sum(Prefix + "api_requests_total", ("cluster", "tenant"), ("verb", "list"), ("code", "200")).Should().BePositive();
        scrape.Sum(Prefix + "managed_objects", ToManagement, Routes).Should().Be(2);
        scrape.Sum(Prefix + "managed_objects", ("cluster", "tenant"), ("resource", "services")).Should().Be(1, "the node-port Service");
        scrape.Sum(Prefix + "cluster_up", ToManagement).Should().Be(1);
        scrape.Sum(Prefix + "cluster_up", ("cluster", "tenant")).Should().Be(1);
        scrape.Sum(Prefix + "leader").Should().Be(1);
    }

    [Fact]
    public async Task Number_of_series_does_not_depend_on_the_number_of_objects()
    {
        await using var fixture = await StartWithRouteAsync();
        var before = Lines(await fixture.MetricsAsync());
        for (var i = 0; i < 20; i++)
        {
            var route = await fixture.CreateAsync(TestObjects.Route($"another-{i}"));
            await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "exists");
        }

        var text = await fixture.MetricsAsync();
        text.Should().NotContain("another-");
        Lines(text)
            .Except(before)
            .Where(line => !line.Contains("result=", StringComparison.Ordinal) && !line.Contains("code=", StringComparison.Ordinal))
            .Should()
            .BeEmpty();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(401)]
    public async Task Disconnected_cluster_is_down_and_restarts_its_watches(int? answer)
    {
        await using var fixture = await StartWithRouteAsync();
        using (answer is { } code ? fixture.AnswerManagementWith(code) : fixture.CutOffManagement())
        {
            await EventuallyAsync(
                fixture,
                scrape =>
                    scrape.Sum(Prefix + "cluster_up", ToManagement) == 0
                    && scrape.Sum(Prefix + "api_requests_total", ToManagement, ("code", answer?.ToString() ?? "error")) > 0
                    && scrape.Sum(Prefix + "watch_restarts_total", ToManagement, Routes) > 0
            );
            Scrape.Of(await fixture.MetricsAsync()).Sum(Prefix + "cluster_up", ("cluster", "tenant")).Should().Be(1);
        }

        await EventuallyAsync(fixture, scrape => scrape.Sum(Prefix + "cluster_up", ToManagement) == 1);
    }

    private static Task<Scrape> EventuallyAsync(CcmFixture fixture, Func<Scrape, bool> condition) =>
        Eventually.GetAsync("the metrics change", async () => Scrape.Of(await fixture.MetricsAsync()), condition);

    private static HashSet<string> Lines(string text) =>
        [.. text.Split('\n').Where(line => line.StartsWith(Prefix, StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];

    private static async Task<CcmFixture> StartWithRouteAsync()
    {
        var fixture = await CcmFixture.StartAsync();
        await fixture.CreateAsync(TestObjects.Service());
        var gateway = await fixture.CreateAsync(TestObjects.Gateway());
        var route = await fixture.CreateAsync(TestObjects.Route());
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "exists");
        await CcmFixture.WaitAsync<Route>(fixture.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "exists");
        await fixture.WaitReadyAsync();
        return fixture;
    }
}
