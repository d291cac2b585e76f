using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Queues;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Controllers;

public sealed class ControllerTests
{
    private readonly FakeApiServer _server = new();
    private readonly FuncReconciler _reconciler = new();

    [Fact]
    public async Task Existing_and_changed_objects_are_reconciled()
    {
        _server.PutWidget("a");
        await using var host = await StartAsync(c => c.Watch<Widget>("home"));
        await Eventually.HoldsAsync(() => _reconciler.Count("a") == 1, "the existing one is reconciled");
        await Eventually.HoldsAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "watching");

        _server.PutWidget("b");
        await Eventually.HoldsAsync(() => _reconciler.Count("b") == 1, "the new one is reconciled");
        _server.Widgets(c => c.Delete(new ResourceKey("default", "a")));
        await Eventually.HoldsAsync(() => _reconciler.Count("a") == 2, "the deleted one is reconciled again");
    }

    [Fact]
    public async Task Desired_object_is_applied_once()
    {
        _server.PutWidget("source", """{"spec":{"colour":"red"}}""");
        TestHost? running = null;
        _reconciler.Body = async (key, cancellationToken) =>
        {
            if (key.Name == "source")
            {
                var colour = running!.Widgets.Get(key)?.Spec?.Colour;
                await running.Applier.ApplyAsync(running.Cluster, Widget.Named("copy", colour: colour), cancellationToken);
            }

            return ReconcileResult.Done;
        };
        await using var host = TestHost.Build(_server, services: s => Register(s, c => c.Watch<Widget>("home")));
        running = host;
        await host.Host.StartAsync();
        await Eventually.HoldsAsync(() => _reconciler.Count("copy") >= 1, "the copy is there");

        _server.PutWidget("source", """{"spec":{"colour":"blue"}}""");
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "copy")?.Spec?.Colour == "blue", "the copy follows");
        _server.PutWidget("source", """{"spec":{"colour":"blue","size":1}}""");
        await Eventually.HoldsAsync(() => _reconciler.Count("source") >= 3, "a change without consequence is reconciled");
        _server.Writes.Select(r => r.Method).Should().Equal(HttpMethod.Post, HttpMethod.Patch);
    }

    [Fact]
    public async Task Object_mapping_is_called_for_old_and_new_object()
    {
        _server.PutWidget("w", """{"spec":{"colour":"red"}}""");
        await using var host = await StartAsync(c =>
            c.Watch<Widget>("home", _ => (Widget w) => [new ResourceKey("colours", w.Spec!.Colour!)])
        );
        await Eventually.HoldsAsync(() => _reconciler.Count("red") == 1, "the first colour is reconciled");
        await Eventually.HoldsAsync(() => _server.Widgets(c => c.OpenWatches) > 0, "watching");

        _server.PutWidget("w", """{"spec":{"colour":"blue"}}""");
        await Eventually.HoldsAsync(() => _reconciler.Count("blue") == 1 && _reconciler.Count("red") == 2, "both colours are reconciled");
    }

    [Fact]
    public async Task Key_that_continues_is_reconciled_after_the_keys_that_wait()
    {
        _server.PutWidget("long");
        var order = new List<string>();
        var waits = new TaskCompletionSource();
        _reconciler.Body = async (key, cancellationToken) =>
        {
            order.Add(key.Name);
            if (key.Name != "long" || order.Count(name => name == "long") > 2)
            {
                return ReconcileResult.Done;
            }

            await waits.Task.WaitAsync(cancellationToken);
            return ReconcileResult.Continue;
        };
        await using var host = await StartAsync(c => c.Watch<Widget>("home"));
        await Eventually.HoldsAsync(() => _reconciler.Count("long") == 1, "the worker is occupied");

        _server.PutWidget("waiting");
        await Eventually.HoldsAsync(() => host.Widgets.Get("default", "waiting") is not null, "another key waits");
        waits.SetResult();

        await Eventually.HoldsAsync(() => _reconciler.Count("long") == 3, "it is continued until it is done");
        order.Should().Equal("long", "waiting", "long", "long");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Key_that_failed_in_an_outage_is_retried_within_two_seconds(bool outage)
    {
        var time = new FakeTimeProvider();
        _server.PutWidget("a");
        var attempts = 0;
        _reconciler.Body = (_, _) =>
        {
            attempts++;
            throw outage ? new HttpRequestException("Connection refused") : new InvalidOperationException("broken");
        };
        await using var host = await TestHost.StartAsync(
            _server,
            services: s =>
            {
                s.AddSingleton<TimeProvider>(time);
                Register(
                    s,
                    c =>
                    {
                        c.Watch<Widget>("home");
                        c.Queue = new WorkQueueOptions { Jitter = 0 };
                    }
                );
            }
        );
        await AdvanceUntilAsync(time, () => attempts >= 16);
        var before = time.GetUtcNow();
        var known = attempts;
        await AdvanceUntilAsync(time, () => attempts > known);
        if (outage)
        {
            (time.GetUtcNow() - before).Should().BeLessThan(TimeSpan.FromSeconds(10), "the figure is 2 s");
        }
        else
        {
            (time.GetUtcNow() - before).Should().BeGreaterThan(TimeSpan.FromSeconds(25), "other failures back off further");
        }
    }

    private static Task AdvanceUntilAsync(FakeTimeProvider time, Func<bool> condition) =>
        Eventually.HoldsAsync(
            () =>
            {
                if (condition())
                {
                    return true;
                }

                time.Advance(TimeSpan.FromMilliseconds(200));
                return false;
            },
            "it is tried again"
        );

    [Fact]
    public async Task Failures_are_logged_once_and_retried()
    {
        _server.PutWidget("a");
        var attempts = 0;
        _reconciler.Body = (_, _) =>
            ++attempts <= 4 ? throw new InvalidOperationException("broken") : Task.FromResult(ReconcileResult.Done);
        await using var host = await StartAsync(c => c.Watch<Widget>("home"));
        await Eventually.HoldsAsync(() => attempts == 5, "it passes at the fifth attempt");

        host.Logs.AtLeast(LogLevel.Warning)
            .Should()
            .ContainSingle()
            .Which.Should()
            .Match<LogLine>(line => line.Text.Contains("default/a") && line.Exception is InvalidOperationException);
    }

    [Fact]
    public async Task Conflicts_and_stale_caches_are_logged_at_debug()
    {
        _server.PutWidget("a");
        var attempts = 0;
        _reconciler.Body = (_, _) =>
            ++attempts switch
            {
                1 => throw new StaleCacheException("behind"),
                2 => throw new HttpOperationException("conflict")
                {
                    Response = new HttpResponseMessageWrapper(new HttpResponseMessage(HttpStatusCode.Conflict), ""),
                },
                _ => Task.FromResult(ReconcileResult.Done),
            };
        await using var host = await StartAsync(c => c.Watch<Widget>("home"));
        await Eventually.HoldsAsync(() => attempts == 3, "it passes at the third attempt");
        host.Logs.AtLeast(LogLevel.Warning).Should().BeEmpty();
    }

    [Fact]
    public async Task API_error_is_logged_without_a_stack_trace()
    {
        _server.PutWidget("a");
        var attempts = 0;
        TestHost? running = null;
        _server.Intercept = r => r.IsWrite ? FakeApiServer.Error(422, "Invalid", "spec.colour: must be a colour") : null;
        _reconciler.Body = async (key, cancellationToken) =>
        {
            attempts++;
            await running!.Applier.ApplyAsync(running.Cluster, Widget.Named("copy"), cancellationToken);
            return ReconcileResult.Done;
        };
        await using var host = running = TestHost.Build(_server, services: s => Register(s, c => c.Watch<Widget>("home")));
        await host.Host.StartAsync();
        await Eventually.HoldsAsync(() => attempts >= 3, "it is tried again");
        var line = host.Logs.AtLeast(LogLevel.Warning).Should().ContainSingle().Which;
        line.Text.Should().Contain("create widgets.example.com").And.Contain("422").And.Contain("spec.colour: must be a colour");
        line.Exception.Should().BeNull();
    }

    [Fact]
    public async Task Retry_is_requeued_and_terminal_is_not()
    {
        _server.PutWidget("again");
        _server.PutWidget("never");
        _reconciler.Body = (key, _) =>
            Task.FromResult(
                key.Name switch
                {
                    "again" when _reconciler.Count("again") < 3 => ReconcileResult.Retry("not yet"),
                    "never" => ReconcileResult.Terminal("hopeless"),
                    _ => ReconcileResult.Done,
                }
            );
        await using var host = await StartAsync(c => c.Watch<Widget>("home"));
        await Eventually.HoldsAsync(() => _reconciler.Count("again") == 3, "the retried key passes");
        _reconciler.Count("never").Should().Be(1);
        host.Logs.Lines.Where(l => l.Text.Contains("not yet")).Should().ContainSingle().Which.Level.Should().Be(LogLevel.Information);
        host.Logs.Lines.Where(l => l.Text.Contains("hopeless")).Should().ContainSingle().Which.Level.Should().Be(LogLevel.Warning);

        _server.PutWidget("never", """{"spec":{"size":1}}""");
        await Eventually.HoldsAsync(() => _reconciler.Count("never") == 2, "a change brings it back");
    }

    [Fact]
    public async Task Stop_waits_for_running_reconciles()
    {
        _server.PutWidget("a");
        var begun = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        var finished = false;
        _reconciler.Body = async (_, cancellationToken) =>
        {
            begun.TrySetResult();
            await mayEnd.Task.WaitAsync(cancellationToken);
            finished = true;
            return ReconcileResult.Done;
        };
        await using var host = await StartAsync(c => c.Watch<Widget>("home"));
        await begun.Task;
        var stop = host.Host.StopAsync();
        mayEnd.SetResult();
        await stop;
        finished.Should().BeTrue();
    }

    [Fact]
    public async Task Reconcile_running_after_the_stop_timeout_is_cancelled()
    {
        _server.PutWidget("a");
        var begun = new TaskCompletionSource();
        var cancelled = false;
        _reconciler.Body = async (_, cancellationToken) =>
        {
            begun.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancelled = true;
            return ReconcileResult.Done;
        };
        await using var host = await StartAsync(c => c.Watch<Widget>("home"), o => o.StopTimeout = TimeSpan.FromMilliseconds(50));
        await begun.Task;
        await host.Host.StopAsync();
        cancelled.Should().BeTrue();
        host.Logs.Lines.Should().Contain(l => l.Text.Contains("did not drain before the stop timeout"));
    }

    [Fact]
    public async Task Invalid_registrations_fail_the_start_with_all_errors()
    {
        await using var host = TestHost.Build(
            _server,
            services: s =>
            {
                Register(s, c => c.Watch<V1Service>("home"));
                s.AddController<FuncReconciler>("other", c => c.Watch<Widget>("elsewhere"));
                s.AddController<FuncReconciler>("idle", c => c.Workers = 0);
            }
        );
        var start = async () => await host.Host.StartAsync();
        (await start.Should().ThrowAsync<InvalidOperationException>())
            .Which.Message.Should()
            .Contain("requires services in cluster \"home\", which has no informer")
            .And.Contain("cluster \"elsewhere\", which is not registered")
            .And.Contain("\"idle\" has 0 workers")
            .And.Contain("\"idle\" has no watch");
    }

    private void Register(IServiceCollection services, Action<ControllerBuilder> configure)
    {
        services.AddSingleton(_reconciler);
        services.AddController<FuncReconciler>("widgets", configure);
    }

    private Task<TestHost> StartAsync(Action<ControllerBuilder> configure, Action<KubeRuntimeOptions>? options = null) =>
        TestHost.StartAsync(_server, services: s => Register(s, configure), options: options);
}
