using System.Text.RegularExpressions;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Ccm.Tests.Metrics;

/// <summary>What <c>/metrics</c> promises, in docs/metrics.md, and what it shows.</summary>
public sealed class MetricsTests
{
    private const string Prefix = "kubelb_ccm_";
    private static readonly (string, string) ToManagement = ("cluster", "management");
    private static readonly (string, string) Routes = ("resource", "routes.kubelb.k8c.io");

    [Fact]
    public async Task Every_family_is_documented_with_its_type_and_labels_and_none_is_missing()
    {
        await using var bed = await BusySystemAsync();
        var scrape = Scrape.Of(await bed.MetricsAsync());
        var documented = Regex
            .Matches(
                (await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "metrics.md"))).Split("## Manager metrics")[0],
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
    public async Task Work_requests_and_what_is_managed_are_counted()
    {
        await using var bed = await BusySystemAsync();

        var scrape = Scrape.Of(await bed.MetricsAsync());

        scrape.Sum(Prefix + "reconcile_total", ("controller", "gateway"), ("result", "done")).Should().BePositive();
        scrape.Sum(Prefix + "reconcile_duration_seconds_count", ("controller", "httproute")).Should().BePositive();
        scrape.Sum(Prefix + "api_requests_total", ToManagement, Routes, ("verb", "create"), ("code", "201")).Should().Be(2);
        scrape.Sum(Prefix + "api_requests_total", ("cluster", "tenant"), ("verb", "list"), ("code", "200")).Should().BePositive();
        scrape.Sum(Prefix + "managed_objects", ToManagement, Routes).Should().Be(2);
        scrape.Sum(Prefix + "managed_objects", ("cluster", "tenant"), ("resource", "services")).Should().Be(1, "the twin");
        scrape.Sum(Prefix + "cluster_up", ToManagement).Should().Be(1);
        scrape.Sum(Prefix + "cluster_up", ("cluster", "tenant")).Should().Be(1);
        scrape.Sum(Prefix + "leader").Should().Be(1);
    }

    [Fact]
    public async Task No_series_is_added_for_an_object()
    {
        await using var bed = await BusySystemAsync();
        var before = Lines(await bed.MetricsAsync());
        for (var i = 0; i < 20; i++)
        {
            var route = await bed.CreateAsync(Given.Route($"another-{i}"));
            await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "is carried");
        }

        var text = await bed.MetricsAsync();
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
    public async Task A_cluster_that_is_lost_is_down_and_its_watches_start_anew(int? answer)
    {
        await using var bed = await BusySystemAsync();
        using (answer is { } code ? bed.AnswerManagementWith(code) : bed.CutOffManagement())
        {
            await EventuallyAsync(
                bed,
                scrape =>
                    scrape.Sum(Prefix + "cluster_up", ToManagement) == 0
                    && scrape.Sum(Prefix + "api_requests_total", ToManagement, ("code", answer?.ToString() ?? "error")) > 0
                    && scrape.Sum(Prefix + "watch_restarts_total", ToManagement, Routes) > 0
            );
            Scrape.Of(await bed.MetricsAsync()).Sum(Prefix + "cluster_up", ("cluster", "tenant")).Should().Be(1);
        }

        await EventuallyAsync(bed, scrape => scrape.Sum(Prefix + "cluster_up", ToManagement) == 1);
    }

    private static Task<Scrape> EventuallyAsync(CcmFixture bed, Func<Scrape, bool> condition) =>
        Eventually.GetAsync("the metrics say so", async () => Scrape.Of(await bed.MetricsAsync()), condition);

    private static HashSet<string> Lines(string text) =>
        [.. text.Split('\n').Where(line => line.StartsWith(Prefix, StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];

    private static async Task<CcmFixture> BusySystemAsync()
    {
        var bed = await CcmFixture.StartAsync();
        await bed.CreateAsync(Given.Service());
        var gateway = await bed.CreateAsync(Given.Gateway());
        var route = await bed.CreateAsync(Given.Route());
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, gateway.Metadata.Uid, _ => true, "is carried");
        await CcmFixture.WaitAsync<Route>(bed.Management, CcmFixture.Namespace, route.Metadata.Uid, _ => true, "is carried");
        await bed.WaitReadyAsync();
        return bed;
    }
}
