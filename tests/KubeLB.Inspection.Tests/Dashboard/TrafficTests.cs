using System.Globalization;
using System.Net;
using System.Text.Json;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Dashboard;
using KubeLB.Inspection.Tests.Dashboard.Support;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>
/// Requests per second on the page. The metrics of the proxies come from a server of the test, to which the API server forwards
/// <c>pods/proxy</c>: 10 more requests and one more error with each reading.
/// </summary>
public sealed class TrafficTests : IAsyncLifetime
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    private const string Port = "default-api-route-api-backend-8080-TCP";

    private WebApplication _metrics = null!;
    private SandboxEnvironment _sandbox = null!;
    private DashboardServer _server = null!;
    private DashboardClient _client = null!;
    private int _readings;
    private volatile bool _isBroken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _metrics = builder.Build();
        _metrics.Run(RespondAsync);
        await _metrics.StartAsync();
        var address = new Uri(_metrics.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var endPoint = new IPEndPoint(IPAddress.Loopback, address.Port);
        _sandbox = await SandboxEnvironment.StartAsync(
            new SandboxOptions
            {
                StartCluster = async (request, cancellationToken) =>
                    await EmbeddedSandboxCluster.StartAsync(request with { PodEndPoints = _ => endPoint }, cancellationToken),
            }
        );
        await using var tenant = new TestCluster(_sandbox.Tenants[0].Cluster.CreateClient("test"));
        await using var management = new TestCluster(_sandbox.Management.CreateClient("test"));
        await management.PatchAsync<Config>("kubelb", Config.DefaultName, """{"spec":{"envoyProxy":{"replicas":1}}}""");
        foreach (var manifest in new[] { Documents.Gateway, Documents.Backend, Documents.Deployment, Documents.Route })
        {
            await tenant.ApplyAsync(manifest);
        }

        _server = await DashboardServer.StartAsync(SandboxDashboard.Options(_sandbox) with { Interval = Interval });
        _client = new DashboardClient(_server);
        await _client.OverviewAsync(
            rows =>
                rows.Any(r => r.GetProperty("kind").GetString() == HttpRoute.KindName)
                && rows.All(r => r.GetProperty("state").GetString() == "Ok"),
            "all objects work"
        );
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        await _sandbox.DisposeAsync();
        await _metrics.DisposeAsync();
    }

    [Fact]
    public async Task Page_shows_requests_and_errors_while_it_is_open()
    {
        _readings.Should().Be(0, "nothing is read without a page");
        using (var stream = await _client.FollowAsync("since=0&traffic=other,t1,t1"))
        {
            // The first reading has nothing to compare with.
            var (first, _) = await stream.NextAsync("traffic", t => t.GetProperty("tenant").GetString() == "t1");
            first.TryGetProperty("total", out _).Should().BeFalse();

            var (figures, bytes) = await stream.NextAsync("traffic", t => t.TryGetProperty("total", out _));
            figures.GetProperty("total").GetProperty("requests").GetInt32().Should().Be(10);
            figures.GetProperty("total").GetProperty("errors").GetInt32().Should().Be(1);
            figures
                .GetProperty("total")
                .GetProperty("requestsPerSecond")
                .GetDouble()
                .Should()
                .BeInRange(0.1, 20.1, "at most every half second");
            var route = figures.GetProperty("routes").EnumerateArray().Single();
            route.GetProperty("kind").GetString().Should().Be("HTTPRoute");
            route.GetProperty("namespace").GetString().Should().Be("default");
            route.GetProperty("name").GetString().Should().Be("api-route");
            route.GetProperty("figures").GetProperty("latency").GetProperty("p50").GetDouble().Should().BeInRange(0, 5);
            bytes.Should().BeLessThan(600);
        }

        // Without a page that shows the tenant, nothing is read: each heartbeat is a chance.
        using (var other = await _client.FollowAsync("since=0&traffic=other"))
        {
            await Eventually.HoldsAsync(
                async () =>
                {
                    var before = Volatile.Read(ref _readings);
                    await HeartbeatsAsync(other, 6);
                    return Volatile.Read(ref _readings) == before;
                },
                "nothing is read any more"
            );
        }

        await ShownAsync();
    }

    private static async Task HeartbeatsAsync(FeedStream stream, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await stream.NextAsync("heartbeat");
        }
    }

    private async Task ShownAsync()
    {
        await using var browser = await Chromium.StartAsync();
        await browser.ShowAsync(1280, 800, "light");
        await browser.OpenAsync(_server.Url);
        const string Row = ".row:has(.name[data-name=\"api-route\"])";
        await browser.WaitAsync(
            $"/^[0-9.]+ req\\/s$/.test(document.querySelector({Quoted(Row + " .rates span")}).innerText)",
            "the row of the route has its requests per second"
        );
        (await browser.EvaluateAsync($"document.querySelector({Quoted(Row + " .rates .errors")}).innerText"))
            .GetString()
            .Should()
            .EndWith(" err/s");
        await browser.ClickAsync(Row);
        await browser.WaitAsync(
            "/requests\\/s · [0-9.]+ errors\\/s · p50 [0-9.]+ ms/.test(document.querySelector('#traffic').innerText)",
            "the details have the figures"
        );
        if (Environment.GetEnvironmentVariable("KUBELB_PICTURES") is { Length: > 0 } folder)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, "dashboard-traffic.png"), await browser.PictureAsync());
        }

        // Gateways have no figures of their own, and proxies without metrics have none.
        (await browser.EvaluateAsync("document.querySelector('.row:has(.name[data-name=\"my-gateway\"]) .rates').innerText"))
            .GetString()
            .Should()
            .BeEmpty();
        _isBroken = true;
        await browser.WaitAsync(
            $"document.querySelector({Quoted(Row + " .rates span")}).innerText === '–' "
                + "&& document.querySelector('#traffic').innerText.includes('cannot be read')",
            "a proxy that cannot be read has a dash, and the details say why"
        );
        browser.Errors.Should().BeEmpty();
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private async Task RespondAsync(HttpContext context)
    {
        if (_isBroken)
        {
            context.Response.StatusCode = 500;
            return;
        }

        context.Request.Path.Value.Should().Be("/stats/prometheus");
        var count = Interlocked.Increment(ref _readings) * 10;
        await context.Response.WriteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                # TYPE envoy_http_downstream_rq_total counter
                envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="{{Port}}"} {{count}}
                envoy_http_downstream_rq_xx{envoy_response_code_class="5",envoy_http_conn_manager_prefix="{{Port}}"} {{count / 10}}
                envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="{{Port}}",le="5"} {{count}}
                envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="{{Port}}",le="+Inf"} {{count}}

                """
            )
        );
    }
}
