using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Controllers;

/// <summary>A mapper that throws loses no wake-up.</summary>
public sealed class HandlerFailureTests
{
    private readonly FakeApiServer _server = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FuncReconciler _reconciler = new();
    private volatile bool _broken = true;

    [Fact]
    public async Task Key_of_a_failed_change_is_requeued_and_objects_are_replayed()
    {
        _server.PutWidget("a");
        await using var host = await StartAsync();
        await Eventually.HoldsAsync(() => _reconciler.Count("a") == 1, "its own key is reconciled");
        _reconciler.Count("mapped-a").Should().Be(0);
        host.Logs.AtLeast(LogLevel.Error).Should().ContainSingle(l => l.Text.Contains("An event handler for widgets.example.com"));

        _broken = false;
        await AdvanceUntilAsync(() => _reconciler.Count("mapped-a") == 1, "the mapper gets the object again");
    }

    [Fact]
    public async Task Failed_deletion_is_replayed()
    {
        _broken = false;
        _server.PutWidget("a");
        await using var host = await StartAsync();
        await Eventually.HoldsAsync(() => _reconciler.Count("mapped-a") == 1, "it is mapped");
        await Eventually.HoldsAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "watching");
        _broken = true;
        _server.Widgets(c => c.Delete(new ResourceKey("default", "a")));
        await Eventually.HoldsAsync(() => _reconciler.Count("a") == 1, "its own key is reconciled");
        _broken = false;
        await AdvanceUntilAsync(() => _reconciler.Count("mapped-a") == 2, "the deletion is mapped");
    }

    [Fact]
    public async Task Repeated_mapper_failure_is_counted_and_logged_once_per_minute()
    {
        for (var i = 0; i < 10; i++)
        {
            _server.PutWidget($"w{i}");
        }

        await using var host = await StartAsync();
        await Eventually.HoldsAsync(() => _reconciler.Seen.Count >= 10, "all keys are reconciled");
        host.Logs.AtLeast(LogLevel.Error).Should().ContainSingle();
        var metrics = await host.GetAsync(host.Host.Services.GetRequiredService<RuntimeEndpoints>().Metrics, "/metrics");
        metrics.Text.Should().Contain("test_informer_handler_failures_total{cluster=\"home\",resource=\"widgets.example.com\"} 10");
    }

    private Task<TestHost> StartAsync() =>
        TestHost.StartAsync(
            _server,
            services: s =>
                s.AddSingleton<TimeProvider>(_time)
                    .AddSingleton(_reconciler)
                    .AddController<FuncReconciler>(
                        "widgets",
                        c =>
                            c.Watch<Widget>(
                                "home",
                                _ =>
                                    (Change<Widget> change) =>
                                        _broken
                                            ? throw new InvalidOperationException("cannot map")
                                            : [new ResourceKey("default", $"mapped-{change.Key.Name}")]
                            )
                    ),
            options: o => o.MetricsAddress = "127.0.0.1:0"
        );

    private Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(500));
                return condition();
            },
            what
        );
}
