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
/// Conditions of a Tenant whose proxies do not run. No pods run here; the test writes the status of their Deployment.
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
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
    }

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task Tenant_without_an_available_proxy_reports_it_after_the_start_delay()
    {
        Assert.SkipUnless(
            TestClusters.TestClusters.IsEmbedded,
            "where a real controller runs Deployments, a test cannot write their status"
        );
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await _bare.Objects.WaitAsync<V1Deployment>(TenantNamespace, Workload, _ => true, "is written");
        await TouchAsync("early");
        (await TenantAsync())
            .Status!.Conditions.Should()
            .NotContain(c => c.Type == TenantProxyConditions.ProxiesAvailable, "pods take a while to start");

        _clock.Forward(TimeSpan.FromSeconds(31));
        await TouchAsync("late");
        var reported = await ConditionAsync(c => c is not null);
        (reported!.Status, reported.Reason).Should().Be(("False", "NoProxyAvailable"));
        reported.Message.Should().Contain($"Deployment {Workload}").And.Contain($"kubectl -n {TenantNamespace} describe pods");
        await EventAsync("NoProxyAvailable", "routes return 503");
        var gateway = await GatewayRouteAsync(c => c.Reason == "NoProxyAvailable");
        gateway
            .Status!.Resources!.Route!.Conditions!.Single(c => c.Type == TenantProxyConditions.ProxiesAvailable)
            .Message.Should()
            .Contain("503")
            .And.NotContain(Workload, "the tenant cannot act on it");
        (await _bare.Objects.ListAsync<Route>(TenantNamespace))
            .SelectMany(r => r.Status?.Conditions ?? [])
            .Where(c => c.Reason == "NoProxyAvailable")
            .Should()
            .ContainSingle("there may be thousands of routes");

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
    public async Task Forbidden_proxy_write_is_reported_and_retried_until_allowed()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can reject writes on demand");
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
            await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
            await EventAsync("ProxiesNotDeployed", $"Failed to write the proxies in namespace {TenantNamespace}");
        }

        await _bare.Objects.WaitAsync<V1Deployment>(TenantNamespace, Workload, _ => true, "is written");
    }

    [Fact]
    public async Task PodMonitor_without_its_CRD_is_reported_and_proxies_are_deployed()
    {
        await _bare.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"envoyProxy":{"podMonitor":{"enabled":true}}}}""");
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));

        await EventAsync("PodMonitorUnavailable", "podMonitor.enabled");
        await _bare.Objects.WaitAsync<V1Deployment>(TenantNamespace, Workload, _ => true, "is written");
        await _bare.Objects.WaitAsync<V1PodDisruptionBudget>(TenantNamespace, Workload, _ => true, "is written");
    }

    [Fact]
    public async Task PodMonitor_with_a_removed_CRD_is_reported_and_proxies_are_updated()
    {
        await _bare.DisposeAsync();
        _bare = await BareManagement.StartAsync();
        await _bare.Cluster.InstallCrdsAsync([
            File.ReadAllText(
                Directory.GetFiles(Path.Combine(SourceTree.Root, "tools/KubeLB.Sandbox/Crds"), "monitoring.coreos.com*.yaml").Single()
            ),
        ]);
        await _bare.AddTenantAsync(await _bare.StartManagerAsync());
        await _bare.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"envoyProxy":{"podMonitor":{"enabled":true}}}}""");
        await _bare.Objects.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
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
            CcmRoutes.Gateway(TenantNamespace).Name,
            r => r.Status?.Conditions?.Find(c => c.Type == RouteConditions.Programmed) is { } c && programmed(c),
            "reports it"
        );

    // Makes the manager reconcile the Tenant: its status has this generation.
    private async Task TouchAsync(string mark)
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
        await _bare.Objects.WaitAsync<Tenant>("", "t1", t => t.Status?.ObservedGeneration == patched.Metadata.Generation, "is reconciled");
    }

    private async Task<Api.Condition?> ConditionAsync(Func<Api.Condition?, bool> condition)
    {
        static Api.Condition? ProxyCondition(Tenant tenant) =>
            tenant.Status?.Conditions?.SingleOrDefault(c => c.Type == TenantProxyConditions.ProxiesAvailable);
        return ProxyCondition(
            await _bare.Objects.WaitAsync<Tenant>("", "t1", t => condition(ProxyCondition(t)), "has the expected condition of its proxies")
        );
    }

    private Task EventAsync(string reason, string message) =>
        Eventually.HoldsAsync(
            async () =>
                (await _bare.Objects.ListAsync<Corev1Event>("default")).Any(e =>
                    e.InvolvedObject.Name == "t1" && e.Reason == reason && e.Message.Contains(message)
                ),
            $"an Event {reason}"
        );
}
