using System.Text;
using System.Text.RegularExpressions;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Prometheus;

namespace KubeLB.EndToEnd;

/// <summary>The manager's <c>/metrics</c>, compared with docs/reference/metrics.md.</summary>
public sealed class ManagerMetricsTests : IAsyncLifetime
{
    private const string Prefix = "kubelb_manager_";
    private const string TenantNamespace = "tenant-t1";
    private static readonly string[] Families = ["xds_streams", "xds_resources_sent_total", "xds_bytes_sent_total"];
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.StopCcmAsync();
        await _fixture.Management.CreateAsync(Bad("bad"));
        await EventuallyAsync(s => s.Sum(Prefix + "not_applied_routes", ("tenant", "t1")) == 1);
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Every_metric_is_documented_with_its_type_and_labels()
    {
        var scrape = await ScrapeAsync();
        var documented = Regex
            .Matches(
                Regex.Replace(
                    await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "reference", "metrics.md")),
                    "## CCM metrics.*?## Manager metrics",
                    "",
                    RegexOptions.Singleline
                ),
                @"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\| (.+) \|$",
                RegexOptions.Multiline
            )
            .ToDictionary(m => Prefix + m.Groups[1].Value, m => m);

        scrape.Help.Keys.Should().BeEquivalentTo(documented.Keys);
        foreach (var (name, row) in documented)
        {
            scrape.Types[name].Should().Be(row.Groups[2].Value, name);
            row.Groups[4].Value.Replace("`", "", StringComparison.Ordinal).Should().StartWith(scrape.Help[name].TrimEnd('.'), name);
            if (scrape.LabelsOf(name).ToList() is { Count: > 0 } labels)
            {
                Regex.Matches(row.Groups[3].Value, "`([a-z]+)`").Select(m => m.Groups[1].Value).Should().BeEquivalentTo(labels, name);
            }
        }
    }

    [Fact]
    public async Task Routes_are_counted_by_kind_and_state_and_rejections_by_tenant()
    {
        var strange = CcmRoutes.Http(TenantNamespace, "strange");
        strange.Change(k => k.Resource!["kind"] = "Anything-a-tenant-writes");
        await _fixture.Management.CreateAsync(strange);

        await EventuallyAsync(s => s.Sum(Prefix + "not_applied_routes", ("tenant", "t1")) == 2);

        var scrape = await ScrapeAsync();
        scrape.Sum(Prefix + "routes", ("kind", "Gateway"), ("state", "programmed")).Should().Be(1);
        scrape.Sum(Prefix + "routes", ("kind", "HTTPRoute"), ("state", "programmed")).Should().Be(1);
        scrape.Sum(Prefix + "routes", ("kind", "HTTPRoute"), ("state", "not_applied")).Should().Be(1);
        scrape.Sum(Prefix + "routes", ("kind", "other"), ("state", "not_applied")).Should().Be(1);
        scrape.Sum(Prefix + "routes").Should().Be(4);
        scrape.Sum(Prefix + "reconcile_total", ("controller", "route"), ("result", "done")).Should().BePositive();
        scrape.Sum(Prefix + "managed_objects", ("resource", "httproutes.gateway.networking.k8s.io")).Should().Be(1);
        scrape.Sum(Prefix + "leader").Should().Be(1);
    }

    [Fact]
    public async Task Series_of_a_deleted_Route_is_removed()
    {
        await _fixture.Management.DeleteAsync<Route>(TenantNamespace, "bad");

        await EventuallyAsync(s =>
            !s.LabelsOf(Prefix + "not_applied_routes").Any() && s.Sum(Prefix + "routes", ("state", "not_applied")) == 0
        );
    }

    [Fact]
    public async Task Series_of_a_deleted_tenant_are_removed_with_its_last_stream()
    {
        await EventuallyAsync(s =>
            s.Sum(Prefix + "xds_streams", ("tenant", "t1")) > 0 && s.Sum(Prefix + "xds_bytes_sent_total", ("tenant", "t1")) > 0
        );

        await _fixture.Management.DeleteAsync<Tenant>("", "t1");

        await EventuallyAsync(s => !Families.Any(f => s.LabelsOf(Prefix + f).Any()));
    }

    private static Route Bad(string name)
    {
        var route = CcmRoutes.Http(TenantNamespace, name);
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = null);
        return route;
    }

    private Task<Scrape> EventuallyAsync(Func<Scrape, bool> condition) =>
        Eventually.GetAsync("the metrics are as expected", ScrapeAsync, condition);

    private async Task<Scrape> ScrapeAsync()
    {
        using var text = new MemoryStream();
        await _fixture.Sandbox.Manager.Host!.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
        return Scrape.Of(Encoding.UTF8.GetString(text.ToArray()));
    }
}
