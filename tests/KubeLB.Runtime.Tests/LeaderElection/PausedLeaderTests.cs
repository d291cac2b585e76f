using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.LeaderElection;

/// <summary>A leader that stands still for longer than its lease, and wakes up in the middle of its work.</summary>
public sealed class PausedLeaderTests
{
    private static readonly TimeSpan RenewDeadline = TimeSpan.FromSeconds(20);

    private readonly FakeApiServer _server = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly FuncReconciler _reconciler = new();
    private readonly TaskCompletionSource _atWork = new();
    private readonly TaskCompletionSource _wake = new();
    private readonly TaskCompletionSource<Exception> _refusal = new();

    [Fact]
    public async Task Paused_leader_writes_only_after_reacquiring_the_lease()
    {
        _server.PutWidget("a");
        using var renewals = new ManualResetEventSlim(initialState: true);
        await using var host = BuildHost();
        _reconciler.Body = (_, cancellationToken) => WorkAsync(host.Cluster, cancellationToken);
        await host.Host.StartAsync();
        await _atWork.Task;

        // The whole process stands still: neither its work nor its renewals get on, and it does not notice.
        _server.Intercept = r =>
        {
            if (r.Path.Contains("/leases", StringComparison.Ordinal))
            {
                renewals.Wait();
            }

            return null;
        };
        renewals.Reset();
        _time.Advance(RenewDeadline);
        _wake.SetResult();

        (await _refusal.Task.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeOfType<LeaseExpiredException>();
        host.Host.Services.GetRequiredService<ILeadership>().IsLeader.Should().BeTrue("it has not detected the loss yet");
        Written().Should().BeEmpty();

        renewals.Set();
        await Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(10));
                return Written().Any();
            },
            "it has the lease again, and the key is still there"
        );
    }

    [Fact]
    public async Task Paused_leader_without_the_lease_does_not_write()
    {
        _server.PutWidget("a");
        await using var host = BuildHost();
        _reconciler.Body = (_, cancellationToken) => WorkAsync(host.Cluster, cancellationToken);
        await host.Host.StartAsync();
        await _atWork.Task;

        _time.Advance(RenewDeadline);
        _server.With(
            "coordination.k8s.io/v1",
            "leases",
            c =>
                c.Patch(
                    new ResourceKey("system", "widget-leader"),
                    new() { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["holderIdentity"] = "other" } },
                    false
                )
        );
        _wake.SetResult();

        await Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(1));
                return !host.Host.Services.GetRequiredService<ILeadership>().IsLeader;
            },
            "it notices"
        );
        host.Host.Services.GetRequiredService<RuntimeExit>().Code.Should().Be(0);
        await host.Host.StopAsync();
        Written().Should().BeEmpty();
    }

    private IEnumerable<SeenRequest> Written() => _server.Writes.Where(r => r.Path.Contains("/widgets", StringComparison.Ordinal));

    private async Task<ReconcileResult> WorkAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        _atWork.TrySetResult();
        await _wake.Task;
        try
        {
            await cluster
                .Client<Widget>()
                .CreateAsync(
                    new Widget
                    {
                        Metadata = new() { Name = "b", NamespaceProperty = "default" },
                    },
                    cancellationToken
                );
        }
        catch (Exception e)
        {
            _refusal.TrySetResult(e);
            throw;
        }

        return ReconcileResult.Done;
    }

    private TestHost BuildHost() =>
        TestHost.Build(
            _server,
            services: s =>
                s.AddSingleton<TimeProvider>(_time)
                    .AddSingleton(_reconciler)
                    .AddController<FuncReconciler>("widgets", c => c.Watch<Widget>("home")),
            options: o =>
                o.LeaderElection = new LeaderElectionSettings("home", "system", "widget-leader", "sleeper")
                {
                    LeaseDuration = RenewDeadline + TimeSpan.FromSeconds(10),
                    RenewDeadline = RenewDeadline,
                    RetryPeriod = TimeSpan.FromMilliseconds(30),
                }
        );
}
