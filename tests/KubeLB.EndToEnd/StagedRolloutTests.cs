using System.Text;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Tests.Support;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Runtime.Clusters;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;

namespace KubeLB.EndToEnd;

/// <summary>
/// A change that replaces the proxies of all tenants reaches a few of them at a time. No pods run here; the test reports
/// them in the status of Deployments and DaemonSets.
/// </summary>
public sealed class StagedRolloutTests : IAsyncLifetime
{
    private const int Tenants = 8;
    private const int AtOnce = 3;
    private const string First = "registry.example.com/envoy:v1";
    private const string Second = "registry.example.com/envoy:v2";
    private const string Third = "registry.example.com/envoy:v3";

    private readonly ForwardedClock _clock = new();
    private BareManagement _bare = null!;
    private IHost _manager = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(
            TestClusters.TestClusters.IsEmbedded,
            "where a real controller runs Deployments, a test cannot report their pods"
        );
        _bare = await BareManagement.StartAsync($"envoyProxy: {{image: \"{First}\"}}");
        _manager = await _bare.StartManagerAsync(configure: services =>
            services.AddSingleton(host => new ProxyRollouts(
                host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name),
                host.GetRequiredService<ManagerOptions>(),
                _clock
            ))
        );
        await _bare.AddTenantAsync(_manager);
        for (var i = 1; i <= Tenants; i++)
        {
            await AddTenantAsync($"t{i}");
        }

        // None is reported as rolled out before all exist: new ones are not queued.
        for (var i = 1; i <= Tenants; i++)
        {
            await _bare.Objects.WaitAsync<V1Deployment>($"tenant-t{i}", $"envoy-tenant-t{i}", _ => true, "is written");
        }

        foreach (var deployment in await DeploymentsAsync(First))
        {
            await RolledOutAsync(deployment);
        }

        await MetricsAsync(inProgress: 0, waiting: 0, stuck: 0);
    }

    public async ValueTask DisposeAsync()
    {
        if (_bare is not null)
        {
            await _bare.DisposeAsync();
        }
    }

    [Fact]
    public async Task Changed_image_is_rolled_out_to_three_tenants_at_a_time()
    {
        await SetImageAsync(Second);
        await MetricsAsync(inProgress: AtOnce, waiting: Tenants - AtOnce, stuck: 0);
        (await DeploymentsAsync(Second)).Should().HaveCount(AtOnce);

        for (var done = 1; done <= Tenants; done++)
        {
            await RolledOutAsync((await DeploymentsAsync(Second)).First(d => !IsRolledOut(d)));
            var reached = Math.Min(done + AtOnce, Tenants);
            await MetricsAsync(inProgress: reached - done, waiting: Tenants - reached, stuck: 0);
            (await DeploymentsAsync(Second)).Should().HaveCount(reached);
        }
    }

    [Fact]
    public async Task Failing_image_stops_the_rollout_and_is_replaced_at_once()
    {
        await SetImageAsync(Second);
        await MetricsAsync(inProgress: AtOnce, waiting: Tenants - AtOnce, stuck: 0);
        var failing = await DeploymentsAsync(Second);
        foreach (var deployment in failing)
        {
            await ReportAsync(deployment, total: 4, updated: 1, available: 3, "ProgressDeadlineExceeded");
        }

        await MetricsAsync(inProgress: 0, waiting: Tenants - AtOnce, stuck: AtOnce);
        foreach (var tenant in failing.Select(d => d.Namespace()["tenant-".Length..]))
        {
            await EventAsync(tenant, "ProxyRolloutStuck", "Deployment says ProgressDeadlineExceeded");
        }

        (await DeploymentsAsync(Second)).Select(d => d.Name()).Should().BeEquivalentTo(failing.Select(d => d.Name()));

        await SetImageAsync(Third);
        await MetricsAsync(inProgress: AtOnce, waiting: Tenants - AtOnce, stuck: 0);
        (await DeploymentsAsync(Third)).Select(d => d.Name()).Should().BeEquivalentTo(failing.Select(d => d.Name()));
        (await DeploymentsAsync(First)).Should().HaveCount(Tenants - AtOnce);

        await RolledOutAsync((await DeploymentsAsync(Third))[0]);
        await Eventually.HoldsAsync(async () => (await DeploymentsAsync(Third)).Count == AtOnce + 1, "another tenant follows");
    }

    [Fact]
    public async Task Reverted_image_ends_the_rollout_queue()
    {
        await SetImageAsync(Second);
        await MetricsAsync(inProgress: AtOnce, waiting: Tenants - AtOnce, stuck: 0);
        foreach (var deployment in await DeploymentsAsync(Second))
        {
            await ReportAsync(deployment, total: 4, updated: 1, available: 3, "ReplicaSetUpdated");
        }

        await SetImageAsync(First);

        await Eventually.HoldsAsync(async () => (await DeploymentsAsync(First)).Count == Tenants, "no tenant has the reverted image");
        await MetricsAsync(inProgress: AtOnce, waiting: 0, stuck: 0);
    }

    [Fact]
    public async Task New_tenants_replica_changes_and_reverts_are_not_queued()
    {
        await SetImageAsync(Second);
        await MetricsAsync(inProgress: AtOnce, waiting: Tenants - AtOnce, stuck: 0);
        var waiting = (await DeploymentsAsync(First))[0];
        var tenant = waiting.Namespace()["tenant-".Length..];

        await _bare.Objects.PatchAsync<Tenant>("", tenant, """{"spec":{"envoyProxy":{"replicas":5}}}""");
        await WaitAsync(waiting, d => d.Spec.Replicas == 5, "has the tenant's number of pods");
        await _bare.Objects.PatchAsync<V1Deployment>(
            waiting.Namespace(),
            waiting.Name(),
            """{"metadata":{"labels":{"app.kubernetes.io/instance":"other"}},"spec":{"replicas":0}}"""
        );
        var repaired = await WaitAsync(
            waiting,
            d => d.Spec.Replicas == 5 && d.Metadata.Labels["app.kubernetes.io/instance"] == d.Namespace(),
            "is reverted"
        );
        ImageOf(repaired).Should().Be(First);

        await AddTenantAsync("t9");
        await _bare.Objects.WaitAsync<V1Deployment>("tenant-t9", "envoy-tenant-t9", d => ImageOf(d) == Second, "is written");
        await RolledOutAsync((await _bare.Objects.GetAsync<V1Deployment>("tenant-t9", "envoy-tenant-t9"))!);

        // Writes in the meantime do not block the other tenants.
        await RolledOutAsync(repaired);
        while ((await DeploymentsAsync(First)).Count > 0)
        {
            var left = (await DeploymentsAsync(First)).Count;
            await RolledOutAsync((await DeploymentsAsync(Second)).First(d => !IsRolledOut(d)));
            await Eventually.HoldsAsync(async () => (await DeploymentsAsync(First)).Count < left, "the next tenant follows");
        }
    }

    [Fact]
    public async Task DaemonSet_change_reaches_three_tenants_at_a_time_and_reports_missing_progress()
    {
        await _bare.Objects.PatchAsync<Config>("kubelb", Config.DefaultName, """{"spec":{"envoyProxy":{"useDaemonset":true}}}""");
        await MetricsAsync(inProgress: AtOnce, waiting: Tenants - AtOnce, stuck: 0);
        var sets = await _bare.Objects.ListAsync<V1DaemonSet>();
        sets.Should().HaveCount(AtOnce);
        (await _bare.Objects.ListAsync<V1PodDisruptionBudget>())
            .Should()
            .HaveCount(Tenants - AtOnce, "queued tenants keep all their objects");

        // A DaemonSet has no condition for missing progress.
        _clock.Forward(Delays.ProxyRollout + TimeSpan.FromSeconds(1));
        await MetricsAsync(inProgress: 0, waiting: Tenants - AtOnce, stuck: AtOnce);
        await _bare.Objects.PatchAsync<V1DaemonSet>(
            sets[0].Namespace(),
            sets[0].Name(),
            """{"metadata":{"labels":{"example.com/look":"1"}}}"""
        );
        await EventAsync(sets[0].Namespace()["tenant-".Length..], "ProxyRolloutStuck", "10 minutes");

        await _bare.Objects.PatchStatusAsync<V1DaemonSet>(
            sets[0].Namespace(),
            sets[0].Name(),
            new
            {
                observedGeneration = sets[0].Metadata.Generation,
                currentNumberScheduled = 1,
                numberMisscheduled = 0,
                numberReady = 1,
                desiredNumberScheduled = 1,
                updatedNumberScheduled = 1,
                numberAvailable = 1,
            }
        );
        await _bare.Objects.WaitGoneAsync<V1Deployment>(sets[0].Namespace(), sets[0].Name());
        await Eventually.HoldsAsync(
            async () => (await _bare.Objects.ListAsync<V1DaemonSet>()).Count == AtOnce + 1,
            "the next tenant follows"
        );
    }

    private static string ImageOf(V1Deployment deployment) => deployment.Spec.Template.Spec.Containers[0].Image;

    private static bool IsRolledOut(V1Deployment deployment) => Rollout.Of(deployment) is null;

    private async Task AddTenantAsync(string name)
    {
        if (await _bare.Objects.GetAsync<Tenant>("", name) is null)
        {
            await _bare.Objects.ApplyAsync($"apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: {name}\nspec: {{}}\n");
            await _bare.Objects.WaitAsync<Tenant>("", name, t => t.Status?.Phase == TenantPhases.Ready, "is set up");
        }

        await _bare.Objects.CreateAsync(CcmRoutes.Gateway($"tenant-{name}"));
        await _bare.Objects.CreateAsync(CcmRoutes.Http($"tenant-{name}", "web"));
    }

    private async Task SetImageAsync(string image) =>
        await _bare.Objects.PatchAsync<Config>("kubelb", Config.DefaultName, $"{{\"spec\":{{\"envoyProxy\":{{\"image\":\"{image}\"}}}}}}");

    private async Task<IReadOnlyList<V1Deployment>> DeploymentsAsync(string image) =>
        [.. (await _bare.Objects.ListAsync<V1Deployment>()).Where(d => ImageOf(d) == image)];

    private Task<V1Deployment> WaitAsync(V1Deployment deployment, Func<V1Deployment, bool> condition, string what) =>
        _bare.Objects.WaitAsync(deployment.Namespace(), deployment.Name(), condition, what);

    private Task RolledOutAsync(V1Deployment deployment)
    {
        var replicas = deployment.Spec.Replicas ?? 1;
        return ReportAsync(deployment, replicas, replicas, replicas, "NewReplicaSetAvailable");
    }

    private async Task ReportAsync(V1Deployment deployment, int total, int updated, int available, string reason) =>
        await _bare.Objects.PatchStatusAsync<V1Deployment>(
            deployment.Namespace(),
            deployment.Name(),
            new
            {
                observedGeneration = deployment.Metadata.Generation,
                replicas = total,
                updatedReplicas = updated,
                availableReplicas = available,
                conditions = new[]
                {
                    new V1DeploymentCondition
                    {
                        Type = "Progressing",
                        Status = reason == "ProgressDeadlineExceeded" ? "False" : "True",
                        Reason = reason,
                        Message = $"Deployment says {reason}",
                    },
                },
            }
        );

    private Task EventAsync(string tenant, string reason, string message) =>
        Eventually.HoldsAsync(
            async () =>
                (await _bare.Objects.ListAsync<Corev1Event>("default")).Count(e =>
                    e.InvolvedObject.Name == tenant && e.Reason == reason && e.Message.Contains(message)
                ) == 1,
            $"Tenant {tenant} has an Event {reason}"
        );

    private async Task MetricsAsync(int inProgress, int waiting, int stuck) =>
        await Eventually.GetAsync(
            $"{inProgress} rollouts are in progress, {waiting} tenants wait, {stuck} rollouts are stuck",
            async () =>
            {
                using var text = new MemoryStream();
                await _manager.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
                var scrape = Scrape.Of(Encoding.UTF8.GetString(text.ToArray()));
                return (Of("in_progress"), Of("waiting"), Of("stuck"));
                double Of(string state) => scrape.Sum("kubelb_manager_proxy_rollouts", ("state", state));
            },
            seen => seen == (inProgress, waiting, stuck)
        );
}
