using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Runtime.Tests.LeaderElection;

public sealed class LeaderElectionTests
{
    private static readonly ResourceKey Lease = new("system", "widget-leader");

    private readonly FakeApiServer _server = new();

    private string? Holder =>
        _server.With(
            "coordination.k8s.io/v1",
            "leases",
            c => c.Objects.TryGetValue(Lease, out var lease) ? lease["spec"]!["holderIdentity"]!.ToString() : null
        );

    [Fact]
    public async Task Second_host_takes_over_when_the_leader_stops()
    {
        _server.PutWidget("a");
        await using var first = await StartAsync("first");
        await Eventually.HoldsAsync(() => first.Reconciler.Count("a") == 1, "the first works");
        await using var second = await StartAsync("second");
        await second.Host.Widgets.WaitForSyncAsync(default);
        _server.PutWidget("b");
        await Eventually.HoldsAsync(() => first.Reconciler.Count("b") == 1, "the first still works");
        second.Reconciler.Seen.Should().BeEmpty("only one writes");
        second.Leadership.IsLeader.Should().BeFalse();
        second.Leadership.LeadershipToken.IsCancellationRequested.Should().BeTrue();

        await first.Host.Host.StopAsync();
        await Eventually.HoldsAsync(
            () => second.Reconciler.Count("a") == 1 && second.Reconciler.Count("b") == 1,
            "the second starts with everything"
        );
        Holder.Should().Be("second");
        first.Exit.Code.Should().Be(0);
    }

    [Fact]
    public async Task Stop_releases_the_lease_after_the_last_reconcile()
    {
        _server.PutWidget("a");
        await using var only = await StartAsync("only", start: false);
        string? holderAtEnd = null;
        var begun = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        only.Reconciler.Body = async (_, _) =>
        {
            begun.TrySetResult();
            await mayEnd.Task;
            holderAtEnd = Holder;
            return ReconcileResult.Done;
        };
        await only.Host.Host.StartAsync();
        await begun.Task;
        var stop = only.Host.Host.StopAsync();
        mayEnd.SetResult();
        await stop;
        holderAtEnd.Should().Be("only");
        Holder.Should().BeEmpty();
    }

    [Fact]
    public async Task Losing_the_lease_cancels_reconciles_only()
    {
        _server.PutWidget("a");
        await using var loser = await StartAsync("loser", start: false);
        var begun = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        loser.Reconciler.Body = async (_, cancellationToken) =>
        {
            begun.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancelled.TrySetResult();
            cancellationToken.ThrowIfCancellationRequested();
            return ReconcileResult.Done;
        };
        await loser.Host.Host.StartAsync();
        await begun.Task;
        var stopping = loser.Host.Host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        Steal();
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await Eventually.HoldsAsync(() => loser.Host.Logs.Lines.Any(l => l.Text.Contains("loser lost the lease")), "the loss is logged");
        var requests = 0;
        _server.Intercept = r =>
        {
            Interlocked.Add(ref requests, r.Path.Contains("/leases") && !r.IsWrite ? 1 : 0);
            return null;
        };
        await Eventually.HoldsAsync(() => Volatile.Read(ref requests) >= 3, "it tries to acquire the lease again");
        stopping.IsCancellationRequested.Should().BeFalse();
        loser.Exit.Code.Should().Be(0);
        await loser.Host.Host.StopAsync();
        Holder.Should().Be("thief", "what is not ours is not released");
    }

    [Fact]
    [Trait("Threat", "api-server-outage")]
    public async Task Host_that_lost_the_lease_keeps_caches_and_resumes()
    {
        _server.PutWidget("a");
        await using var host = await StartAsync("patient");
        await Eventually.HoldsAsync(() => host.Reconciler.Count("a") == 1, "it works");
        Steal();
        await Eventually.HoldsAsync(() => !host.Leadership.IsLeader, "it notices");
        _server.PutWidget("b");
        await Eventually.HoldsAsync(() => host.Host.Widgets.Get("default", "b") is not null, "its caches are still updated");
        host.Reconciler.Count("b").Should().Be(0);

        _server.With(
            "coordination.k8s.io/v1",
            "leases",
            c => c.Patch(Lease, new() { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["holderIdentity"] = "" } }, false)
        );
        await Eventually.HoldsAsync(() => host.Reconciler.Count("b") == 1, "it works again, and nothing was lost");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Threat", "api-server-outage")]
    public async Task Few_failed_renewals_do_not_end_the_leadership(bool writesOnly)
    {
        await using var host = await StartAsync("steady");
        await Eventually.HoldsAsync(() => host.Leadership.IsLeader, "it leads");
        var term = host.Leadership.LeadershipToken;
        var failures = 0;
        var renewals = 0;
        _server.Intercept = r =>
        {
            if (r.Path.Contains("/leases") && (r.IsWrite || !writesOnly) && Interlocked.Increment(ref failures) <= 3)
            {
                throw new HttpRequestException("connection reset by peer");
            }

            Interlocked.Add(ref renewals, r.IsWrite ? 1 : 0);
            return null;
        };
        await Eventually.HoldsAsync(() => Volatile.Read(ref renewals) >= 2, "it renews again");
        term.IsCancellationRequested.Should().BeFalse();
    }

    [Fact]
    public async Task Leadership_ends_before_another_replica_can_acquire_the_lease()
    {
        _server.PutWidget("a");
        await using var host = await StartAsync(
            "cut off",
            o =>
            {
                o.LeaderElection = o.LeaderElection! with
                {
                    LeaseDuration = TimeSpan.FromSeconds(5),
                    RenewDeadline = TimeSpan.FromMilliseconds(200),
                };
            }
        );
        await Eventually.HoldsAsync(() => host.Reconciler.Count("a") == 1, "it works");
        var term = host.Leadership.LeadershipToken;
        _server.IsDown = true;
        await Eventually.HoldsAsync(() => term.IsCancellationRequested, "its writes are fenced off");
        _server.IsDown = false;
        await Eventually.HoldsAsync(() => host.Leadership.IsLeader, "it leads again");
    }

    [Fact]
    public async Task Rejected_lease_request_is_logged_once_and_retried()
    {
        _server.PutWidget("a");
        var attempts = 0;
        _server.Intercept = r =>
        {
            if (r.Path.Contains("/leases") && r.IsWrite && ++attempts < 4)
            {
                return FakeApiServer.Error(403, "Forbidden", "leases is forbidden");
            }

            return null;
        };
        await using var host = await StartAsync("a");
        await Eventually.HoldsAsync(() => host.Reconciler.Count("a") == 1, "it leads in the end");
        host.Host.Logs.Lines.Should().ContainSingle(l => l.Text.Contains("forbids renewing the lease system/widget-leader"));
    }

    [Fact]
    public async Task Controller_without_leader_election_runs_on_every_replica()
    {
        _server.PutWidget("a");
        await using var leader = await StartAsync("leader");
        await Eventually.HoldsAsync(() => leader.Leadership.IsLeader, "one leads");
        await using var other = await StartAsync("other", onlyWhileLeading: false);
        await Eventually.HoldsAsync(() => other.Reconciler.Count("a") == 1, "the other works too");
        other.Leadership.IsLeader.Should().BeFalse();
    }

    [Fact]
    public void Failed_leader_is_replaced_within_20_seconds_by_default()
    {
        var settings = new LeaderElectionSettings("home", "a", "b", "c");
        (settings.LeaseDuration.TotalSeconds, settings.RenewDeadline.TotalSeconds, settings.RetryPeriod.TotalSeconds)
            .Should()
            .Be((15, 10, 2));

        // Seen up to one retry period after it was made, the last renewal runs out; up to one later that is noticed.
        (settings.LeaseDuration + (2 * settings.RetryPeriod))
            .Should()
            .BeLessThan(TimeSpan.FromSeconds(20));
        settings
            .RenewDeadline.Should()
            .BeLessThan(settings.LeaseDuration - TimeSpan.FromSeconds(2), "a write may be on its way for a while");
    }

    [Fact]
    public async Task Standby_replica_keeps_its_retry_period()
    {
        await using var leader = await StartAsync("leader");
        await Eventually.HoldsAsync(() => leader.Leadership.IsLeader, "one leads");
        await using var other = await StartAsync("other");
        var requests = 0;
        _server.Intercept = r =>
        {
            Interlocked.Add(ref requests, r.Path.Contains("/leases") && !r.IsWrite ? 1 : 0);
            return null;
        };

        // Both retry every 30 ms. With growing delays, 100 requests would take hours.
        await Eventually.HoldsAsync(() => Volatile.Read(ref requests) >= 100, "both keep their retry period");
        await leader.Host.Host.StopAsync();
        await Eventually.HoldsAsync(() => other.Leadership.IsLeader, "the other leads");
    }

    [Fact]
    public async Task Invalid_periods_fail_the_start()
    {
        var build = () =>
            TestHost
                .Build(
                    _server,
                    options: o =>
                    {
                        o.LeaderElection = new LeaderElectionSettings("home", "", "x", "y") { RenewDeadline = TimeSpan.FromSeconds(20) };
                        o.ProbeAddress = "nonsense";
                    }
                )
                .Host.StartAsync();
        await build
            .Should()
            .ThrowAsync<Microsoft.Extensions.Options.OptionsValidationException>()
            .WithMessage("*\"nonsense\"*set cluster, namespace, lease name and identity*20 s*");
    }

    private void Steal() =>
        _server.With(
            "coordination.k8s.io/v1",
            "leases",
            c =>
                c.Patch(
                    Lease,
                    new()
                    {
                        ["spec"] = new System.Text.Json.Nodes.JsonObject
                        {
                            ["holderIdentity"] = "thief",
                            ["renewTime"] = "2099-01-01T00:00:00.000000Z",
                        },
                    },
                    false
                )
        );

    private async Task<Replica> StartAsync(
        string identity,
        Action<KubeRuntimeOptions>? options = null,
        bool onlyWhileLeading = true,
        bool start = true
    )
    {
        var reconciler = new FuncReconciler();
        var host = TestHost.Build(
            _server,
            services: s =>
                s.AddSingleton(reconciler)
                    .AddController<FuncReconciler>(
                        "widgets",
                        c =>
                        {
                            c.NeedsLeaderElection = onlyWhileLeading;
                            c.Watch<Widget>("home");
                        }
                    ),
            options: o =>
            {
                o.LeaderElection = new LeaderElectionSettings("home", Lease.Namespace, Lease.Name, identity)
                {
                    LeaseDuration = TimeSpan.FromSeconds(30),
                    RenewDeadline = TimeSpan.FromSeconds(20),
                    RetryPeriod = TimeSpan.FromMilliseconds(30),
                };
                options?.Invoke(o);
            }
        );
        if (start)
        {
            await host.Host.StartAsync();
        }

        return new Replica(host, reconciler);
    }

    private sealed record Replica(TestHost Host, FuncReconciler Reconciler) : IAsyncDisposable
    {
        public ILeadership Leadership => Host.Host.Services.GetRequiredService<ILeadership>();

        public RuntimeExit Exit => Host.Host.Services.GetRequiredService<RuntimeExit>();

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
