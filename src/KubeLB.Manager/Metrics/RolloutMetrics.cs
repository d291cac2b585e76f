using KubeLB.Manager.Proxies.Workload;
using KubeLB.Runtime.LeaderElection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.Manager.Metrics;

/// <summary>Counts the tenants by state of their proxies' rollout at each scrape. Replicas other than the leader report 0.</summary>
internal sealed class RolloutMetrics(ProxyRollouts rollouts, ILeadership leadership, CollectorRegistry registry) : IHostedService
{
    private readonly Gauge _rollouts = Prometheus
        .Metrics.WithCustomRegistry(registry)
        .CreateGauge(
            "kubelb_manager_proxy_rollouts",
            "Tenants by state of the rollout of their proxies: in_progress, waiting, stuck.",
            "state"
        );

    public Task StartAsync(CancellationToken cancellationToken)
    {
        registry.AddBeforeCollectCallback(Count);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Count()
    {
        var (inProgress, stuck) = leadership.IsLeader ? rollouts.Count() : default;
        _rollouts.WithLabels("in_progress").Set(inProgress);
        _rollouts.WithLabels("waiting").Set(leadership.IsLeader ? rollouts.Waiting : 0);
        _rollouts.WithLabels("stuck").Set(stuck);
    }
}
