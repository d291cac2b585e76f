using k8s.Models;
using KubeLB.Api.Monitoring;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Runtime.Clusters;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>
/// What an operator reads on a Tenant whose proxies do not run. Nobody runs pods here but the test, which says so in their Deployment.
/// </summary>
public sealed class ProxyAvailabilityTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;
    private const string Workload = $"envoy-{TenantNamespace}";

    private readonly ForwardedClock _clock = new();
    private BareManagement _bare = null!;
    private IHost _manager = null!;

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        _manager = await _bare.StartManagerAsync(configure: services =>
            services.AddSingleton(host => new ProxyAvailability(host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name), _clock))
        );
        await _bare.AddTenantAsync(_manager);
        await _bare.Objects.CreateAsync(CarriedRoutes.Gateway(TenantNamespace));
    }

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task A_tenant_none_of_whose_proxies_serves_says_so_after_the_time_that_a_start_takes()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "where a real controller runs Deployments, a test cannot say how they are");
        await _bare.Objects.CreateAsync(CarriedRoutes.Http(TenantNamespace, "web"));
        await _bare.Objects.WaitAsync<V1Deployment>(TenantNamespace, Workload, _ => true, "is written");
        await LookAsync("early");
        (await TenantAsync())
            .Status!.Conditions.Should()
            .NotContain(c => c.Type == TenantProxyConditions.ProxiesAvailable, "pods take a while to start");

        _clock.Forward(TimeSpan.FromSeconds(31));
        await LookAsync("late");
        var told = await ConditionAsync(c => c is not null);
        (told!.Status, told.Reason).Should().Be(("False", "NoProxyAvailable"));
        told.Message.Should().Contain($"Deployment {Workload}").And.Contain($"kubectl -n {TenantNamespace} describe pods");
        await EventAsync("NoProxyAvailable", "routes are not served");
        var gateway = await GatewayRouteAsync(c => c.Reason == "NoProxyAvailable");
        gateway
            .Status!.Resources!.Route!.Conditions!.Single(c => c.Type == TenantProxyConditions.ProxiesAvailable)
            .Message.Should()
            .Contain("503")
            .And.NotContain(Workload, "the tenant can do nothing about it");
        (await _bare.Objects.ListAsync<Route>(TenantNamespace))
            .SelectMany(r => r.Status?.Conditions ?? [])
            .Where(c => c.Reason == "NoProxyAvailable")
            .Should()
            .ContainSingle("routes may be thousands");

        var quota = new V1DeploymentCondition
        {
            Type = "ReplicaFailure",
            Status = "True",
            Message = "exceeded quota: pods",
        };
        await _bare.Objects.PatchStatusAsync<V1Deployment>(TenantNamespace, Workload, new { replicas = 0, conditions = new[] { quota } });
        await ConditionAsync(c => c?.Message.Contains("exceeded quota") == true);

        await _bare.Objects.PatchStatusAsync<V1Deployment>(TenantNamespace, Workload, new { replicas = 1, availableReplicas = 1 });
        await ConditionAsync(c => c is null);
        (await TenantAsync()).Status!.Phase.Should().Be(TenantPhases.Ready);
        (await GatewayRouteAsync(c => c.Reason != "NoProxyAvailable"))
            .Status!.Resources!.Route!.Conditions.Should()
            .NotContain(c => c.Type == TenantProxyConditions.ProxiesAvailable);
    }

    [Fact]
    public async Task Proxies_that_may_not_be_written_are_told_and_written_as_soon_as_they_may()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters refuse writes on demand");
        using (
            ((EmbeddedTestCluster)_bare.Cluster).Server.Faults.Add(
                new FaultRule
                {
                    Matches = r => r.IsWrite && r.Resource == "deployments",
                    StatusCode = 403,
                    Times = null,
                }
            )
        )
        {
            await _bare.Objects.CreateAsync(CarriedRoutes.Http(TenantNamespace, "web"));
            await EventAsync("ProxiesNotDeployed", $"The proxies in namespace {TenantNamespace} cannot be written");
        }

        await _bare.Objects.WaitAsync<V1Deployment>(TenantNamespace, Workload, _ => true, "is written");
    }

    [Fact]
    public async Task A_pod_monitor_that_the_cluster_does_not_know_is_told_and_the_rest_is_there()
    {
        await _bare.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"envoyProxy":{"podMonitor":{"enabled":true}}}}""");
        await _bare.Objects.CreateAsync(CarriedRoutes.Http(TenantNamespace, "web"));

        await EventAsync("PodMonitorUnavailable", "podMonitor.enabled");
        await _bare.Objects.WaitAsync<V1Deployment>(TenantNamespace, Workload, _ => true, "is written");
        await _bare.Objects.WaitAsync<V1PodDisruptionBudget>(TenantNamespace, Workload, _ => true, "is written");
    }

    [Fact]
    public async Task A_pod_monitor_whose_definition_is_removed_is_told_and_keeps_nothing_from_being_written()
    {
        await _bare.DisposeAsync();
        _bare = await BareManagement.StartAsync();
        await _bare.Cluster.InstallCrdsAsync([
            File.ReadAllText(
                Directory.GetFiles(Path.Combine(SourceTree.Root, "src/KubeLB.Sandbox/Crds"), "monitoring.coreos.com*.yaml").Single()
            ),
        ]);
        await _bare.AddTenantAsync(await _bare.StartManagerAsync());
        await _bare.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"envoyProxy":{"podMonitor":{"enabled":true}}}}""");
        await _bare.Objects.CreateAsync(CarriedRoutes.Http(TenantNamespace, "web"));
        await _bare.Objects.WaitAsync<PodMonitor>(TenantNamespace, Workload, _ => true, "is written");

        await _bare.Objects.DeleteAsync<V1CustomResourceDefinition>("", "podmonitors.monitoring.coreos.com");
        await _bare.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"envoyProxy":{"replicas":2}}}""");

        await _bare.Objects.WaitAsync<V1Deployment>(TenantNamespace, Workload, d => d.Spec.Replicas == 2, "is written");
        await EventAsync("PodMonitorUnavailable", "podMonitor.enabled");
    }

    private async Task<Tenant> TenantAsync() => (await _bare.Objects.GetAsync<Tenant>("", "t1"))!;

    private Task<Route> GatewayRouteAsync(Func<Api.Condition, bool> programmed) =>
        _bare.Objects.WaitAsync<Route>(
            TenantNamespace,
            CarriedRoutes.Gateway(TenantNamespace).Name,
            r => r.Status?.Conditions?.Find(c => c.Type == RouteConditions.Programmed) is { } c && programmed(c),
            "says so"
        );

    // Has the manager look at the Tenant: what it reports speaks of this generation.
    private async Task LookAsync(string mark)
    {
        var patched = await _bare.Objects.PatchAsync<Tenant>(
            "",
            "t1",
            ApiJson
                .ToJson(
                    new { spec = new { defaultAnnotations = new { all = new Dictionary<string, string> { ["example.com/look"] = mark } } } }
                )
                .ToJsonString()
        );
        await _bare.Objects.WaitAsync<Tenant>("", "t1", t => t.Status?.ObservedGeneration == patched.Metadata.Generation, "was looked at");
    }

    private async Task<Api.Condition?> ConditionAsync(Func<Api.Condition?, bool> condition)
    {
        static Api.Condition? Told(Tenant tenant) =>
            tenant.Status?.Conditions?.SingleOrDefault(c => c.Type == TenantProxyConditions.ProxiesAvailable);
        return Told(await _bare.Objects.WaitAsync<Tenant>("", "t1", t => condition(Told(t)), "says of its proxies what is so"));
    }

    private Task EventAsync(string reason, string message) =>
        Eventually.HoldsAsync(
            $"an Event {reason}",
            async () =>
                (await _bare.Objects.ListAsync<Corev1Event>("default")).Any(e =>
                    e.InvolvedObject.Name == "t1" && e.Reason == reason && e.Message.Contains(message)
                )
        );
}
