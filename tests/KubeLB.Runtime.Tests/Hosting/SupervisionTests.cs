using System.Net;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Hosting;

/// <summary>No background loop ends unnoticed.</summary>
public sealed class SupervisionTests
{
    private readonly FakeApiServer _server = new();
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Loop_that_fails_or_ends_is_reported_by_healthz_and_restarted(bool fails)
    {
        await using var host = await StartAsync();
        using var stop = new CancellationTokenSource();
        var runs = 0;
        var loop = Supervisor(host)
            .Run(
                "test loop",
                WhenFaulted.Restart,
                () =>
                    ++runs > 1 ? Task.Delay(Timeout.Infinite, stop.Token)
                    : fails ? throw new InvalidOperationException("broken")
                    : Task.CompletedTask,
                stop.Token
            );
        await Eventually.HoldsAsync(() => Supervisor(host).Problems.Count == 1, "it is reported");
        var (status, text) = await HealthzAsync(host);
        status.Should().Be(HttpStatusCode.ServiceUnavailable);
        text.Should().StartWith("test loop: ").And.Contain(fails ? "broken" : "the loop ended without being stopped");
        (await host.GetAsync(host.Host.Services.GetRequiredService<RuntimeEndpoints>().Metrics, "/metrics"))
            .Text.Should()
            .Contain("test_background_loop_faults_total{loop=\"test loop\"} 1");
        host.Logs.AtLeast(LogLevel.Critical).Should().ContainSingle(l => l.Text.Contains("test loop"));

        await Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return runs == 2;
            },
            "it is restarted"
        );
        await Eventually.HoldsAsync(async () => (await HealthzAsync(host)).Status == HttpStatusCode.OK, "it is well");
        await stop.CancelAsync();
        await loop;
        host.Host.Services.GetRequiredService<RuntimeExit>().Code.Should().Be(0);
    }

    [Fact]
    public async Task Loop_with_lost_state_stops_the_process()
    {
        await using var host = await StartAsync();
        await Supervisor(host)
            .Run("test loop", WhenFaulted.StopProcess, () => throw new InvalidOperationException("broken"), CancellationToken.None);
        host.Host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested.Should().BeTrue();
        var exit = host.Host.Services.GetRequiredService<RuntimeExit>();
        exit.Code.Should().Be(1);
        exit.Reason.Should().Be("Background loop \"test loop\" failed: broken");
    }

    [Fact]
    public async Task Stopped_loop_is_not_a_failure()
    {
        await using var host = await StartAsync();
        using var stop = new CancellationTokenSource();
        var loop = Supervisor(host).Run("test loop", WhenFaulted.StopProcess, () => Task.Delay(Timeout.Infinite, stop.Token), stop.Token);
        await stop.CancelAsync();
        await loop;
        Supervisor(host).Problems.Should().BeEmpty();
        host.Host.Services.GetRequiredService<RuntimeExit>().Code.Should().Be(0);
    }

    [Fact]
    public async Task Stopping_host_does_not_restart_controllers()
    {
        for (var i = 0; i < 20; i++)
        {
            var host = await StartAsync(s =>
                s.AddSingleton<FuncReconciler>().AddController<FuncReconciler>("widgets", c => c.Watch<Widget>("home"))
            );
            await Eventually.HoldsAsync(
                () => host.Logs.Lines.Any(l => l.Text.StartsWith("Starting controller", StringComparison.Ordinal)),
                "the controller runs"
            );
            await host.DisposeAsync();
            host.Logs.Lines.Should().ContainSingle(l => l.Text.StartsWith("Starting controller", StringComparison.Ordinal));
            host.Logs.AtLeast(LogLevel.Warning).Should().BeEmpty();
        }
    }

    [Fact]
    public async Task Resync_requeues_all_keys_every_ten_hours_without_requests()
    {
        _server.PutWidget("a");
        var reconciler = new FuncReconciler();
        await using var host = await StartAsync(s =>
            s.AddSingleton(reconciler).AddController<FuncReconciler>("widgets", c => c.Watch<Widget>("home"))
        );
        await Eventually.HoldsAsync(() => reconciler.Count("a") == 1, "it is reconciled");
        var requests = _server.Requests.Count(r => !r.IsWatch && r.IsWrite);
        for (var past = TimeSpan.Zero; past < TimeSpan.FromHours(8.9); past += TimeSpan.FromHours(0.5))
        {
            _time.Advance(TimeSpan.FromHours(0.5));
        }

        reconciler.Count("a").Should().Be(1);
        var more = TimeSpan.Zero;
        await Eventually.HoldsAsync(
            () =>
            {
                if (reconciler.Count("a") == 2)
                {
                    return true;
                }

                _time.Advance(TimeSpan.FromMinutes(10));
                more += TimeSpan.FromMinutes(10);
                return false;
            },
            "it is reconciled again"
        );
        _server.Requests.Count(r => !r.IsWatch && r.IsWrite).Should().Be(requests);
    }

    private static Supervisor Supervisor(TestHost host) => host.Host.Services.GetRequiredService<Supervisor>();

    private static Task<(HttpStatusCode Status, string Text)> HealthzAsync(TestHost host) =>
        host.GetAsync(host.Host.Services.GetRequiredService<RuntimeEndpoints>().Probe, "/healthz");

    private Task<TestHost> StartAsync(Action<IServiceCollection>? services = null) =>
        TestHost.StartAsync(
            _server,
            services: s =>
            {
                s.AddSingleton<TimeProvider>(_time);
                services?.Invoke(s);
            },
            options: o =>
            {
                o.ProbeAddress = "127.0.0.1:0";
                o.MetricsAddress = "127.0.0.1:0";
            }
        );
}
