using System.Diagnostics;
using System.Globalization;
using System.Text;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.EndToEnd;

/// <summary>A change costs what depends on it, not what is there.</summary>
public sealed class WorkTests
{
    [Fact]
    public async Task A_new_route_does_not_wake_the_other_routes_of_its_gateway()
    {
        const int Others = 30;
        await using var bed = await TestBed.StartAsync();
        await bed.ApplyBasicExampleAsync();
        for (var i = 0; i < Others; i++)
        {
            await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", $"r{i}").Replace("api.example.com", $"r{i}.example.com"));
        }

        for (var i = 0; i < Others; i++)
        {
            await bed.Tenant.WaitAsync<HttpRoute>("default", $"r{i}", Statuses.IsAccepted, "is accepted");
        }

        await RestAsync(bed);
        var ccm = await ReconcilesAsync(bed.Sandbox.Tenants[0].Ccm.Host!);
        var manager = await ReconcilesAsync(bed.Sandbox.Manager.Host!);

        await bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "one-more").Replace("api.example.com", "one-more.example.com"));
        await bed.Tenant.WaitAsync<HttpRoute>("default", "one-more", Statuses.IsAccepted, "is accepted");
        await RestAsync(bed);

        (await ReconcilesAsync(bed.Sandbox.Tenants[0].Ccm.Host!) - ccm).Should().BeInRange(1, Others - 1);
        (await ReconcilesAsync(bed.Sandbox.Manager.Host!) - manager).Should().BeInRange(1, Others - 1);
    }

    /// <summary>Not only no request: no reconcile either, for longer than the CCM defers a first status.</summary>
    private static async Task RestAsync(TestBed bed)
    {
        var last = -1;
        var since = Stopwatch.StartNew();
        await Eventually.HoldsAsync("no controller has anything left to do", async () =>
        {
            var now = await ReconcilesAsync(bed.Sandbox.Tenants[0].Ccm.Host!) + await ReconcilesAsync(bed.Sandbox.Manager.Host!);
            if (now != last)
            {
                last = now;
                since.Restart();
            }

            return since.Elapsed > TimeSpan.FromSeconds(3);
        });
    }

    private static async Task<int> ReconcilesAsync(IHost host)
    {
        using var text = new MemoryStream();
        await host.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray()).Split('\n')
            .Where(line => line.Contains("_reconcile_total{", StringComparison.Ordinal))
            .Sum(line => int.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
    }
}
