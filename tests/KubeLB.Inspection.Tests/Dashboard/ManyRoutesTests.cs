using System.Diagnostics;
using System.Text.Json;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Tests.Dashboard.Support;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>A tenant with many routes. No controller runs: the fixture writes the status.</summary>
public sealed class ManyRoutesFixture : IAsyncLifetime
{
    public const int Count = 1000;

    internal SandboxEnvironment Sandbox { get; private set; } = null!;

    internal TestCluster Tenant { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Sandbox = await SandboxEnvironment.StartAsync(new SandboxOptions { StartControllers = false });
        Tenant = new TestCluster(Sandbox.Tenants[0].Cluster.CreateClient("test"));
        await Tenant.ApplyAsync(Documents.Gateway);
        await Parallel.ForEachAsync(Enumerable.Range(0, Count), async (i, _) => await SampleRoutes.CreateAsync(Tenant, i));
    }

    public async ValueTask DisposeAsync()
    {
        await Tenant.DisposeAsync();
        await Sandbox.DisposeAsync();
    }
}

/// <summary>The page with many routes.</summary>
public sealed class ManyRoutesTests(ManyRoutesFixture fixture, ITestOutputHelper output) : IClassFixture<ManyRoutesFixture>
{
    [Fact]
    public async Task Change_of_one_of_many_routes_sends_one_row()
    {
        var clock = Stopwatch.StartNew();
        await using var server = await SandboxDashboard.StartAsync(fixture.Sandbox, CancellationToken.None);
        using var client = new DashboardClient(server);
        await client.OverviewAsync(rows => rows.Count >= ManyRoutesFixture.Count + 2, "all routes, the Gateway and the Tenant are listed");
        var filled = clock.Elapsed;

        clock.Restart();
        var overview = await client.BytesAsync("api/overview");
        var read = clock.Elapsed;
        var version = JsonDocument.Parse(overview).RootElement.GetProperty("version").GetInt64();
        using var stream = await client.FollowAsync($"since={version}&kind=HTTPRoute&namespace=default&name=route-7&tenant=t1");
        await stream.NextAsync("trace");

        clock.Restart();
        await fixture.Tenant.PatchStatusAsync<HttpRoute>("default", "route-7", SampleRoutes.Status("False", "BackendNotFound"));
        var (rows, bytes) = await stream.NextAsync("rows", r => r.GetProperty("changed").GetArrayLength() > 0);
        var sent = clock.Elapsed;

        output.WriteLine(
            $"{ManyRoutesFixture.Count} routes: caches filled after {filled.TotalMilliseconds:0} ms; overview {overview.Length} bytes in "
                + $"{read.TotalMilliseconds:0} ms; update {bytes} bytes after {sent.TotalMilliseconds:0} ms"
        );
        rows.GetProperty("changed").EnumerateArray().Select(r => r.GetProperty("name").GetString()).Should().Equal("route-7");
        rows.GetProperty("changed")[0].GetProperty("reason").GetString().Should().Be("BackendNotFound");
        bytes.Should().BeLessThan(1024);
        read.Should().BeLessThan(TimeSpan.FromSeconds(1));
        sent.Should().BeLessThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Browser_shows_many_routes_with_few_elements()
    {
        await using var server = await SandboxDashboard.StartAsync(fixture.Sandbox, CancellationToken.None);
        await using var browser = await Chromium.StartAsync();
        await browser.ShowAsync(1280, 800, "light");
        await browser.OpenAsync(server.Url);
        await browser.WaitAsync(
            $"document.querySelector('#found')?.innerText.startsWith('{ManyRoutesFixture.Count + 2} ')",
            "all are listed"
        );

        await browser.EvaluateAsync("document.querySelector('#list').focus()");
        await browser.KeyAsync("End");
        await browser.WaitAsync("document.querySelector('.row.active')?.innerText.includes('route-999')", "End shows the last route");
        (await browser.EvaluateAsync("document.querySelectorAll('.row').length")).GetInt32().Should().BeLessThan(50);
        (await browser.EvaluateAsync("document.querySelector('.row.active').getAttribute('aria-setsize')"))
            .GetString()
            .Should()
            .Be($"{ManyRoutesFixture.Count + 2}");

        // A change writes into the elements that exist.
        await browser.EvaluateAsync("document.querySelectorAll('.row').forEach(row => row.dataset.known = 'yes')");
        await fixture.Tenant.PatchStatusAsync<HttpRoute>("default", "route-999", SampleRoutes.Status("False", "RefNotPermitted"));
        await browser.WaitAsync("document.querySelector('.row.active').innerText.includes('RefNotPermitted')", "the row changes");
        (await browser.EvaluateAsync("[...document.querySelectorAll('.row')].every(row => row.dataset.known)"))
            .GetBoolean()
            .Should()
            .BeTrue();
        var duration = await browser.EvaluateAsync(
            "(async () => { const start = performance.now(); document.querySelector('#text').value = 'route-9'; "
                + "document.querySelector('#text').dispatchEvent(new Event('input')); return performance.now() - start; })()"
        );
        output.WriteLine($"filter over {ManyRoutesFixture.Count} routes: {duration.GetDouble():0.0} ms");
        browser.Errors.Should().BeEmpty();
    }
}
