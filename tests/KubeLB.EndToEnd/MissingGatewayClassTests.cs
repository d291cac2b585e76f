using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Settings;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>Conditions while the management cluster has no GatewayClass of the configured name.</summary>
public sealed class MissingGatewayClassTests
{
    [Fact]
    public async Task Missing_class_is_reported_on_the_Gateway_and_the_Config_until_it_is_corrected()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await ConfigAsync(fixture, c => c is { Status: "True", Reason: "GatewayClassAccepted" });

        await SetClassAsync(fixture, "\"nope\"");
        var reported = await GatewayAsync(fixture, c => c.Reason == "GatewayClassNotFound");
        (reported.Status, reported.Message.Contains("nope", StringComparison.Ordinal)).Should().Be(("False", false));
        var condition = await ConfigAsync(fixture, c => c is { Status: "False" });
        (condition!.Status, condition.Reason).Should().Be(("False", "GatewayClassNotFound"));
        condition.Message.Should().Contain("GatewayClass nope does not exist");

        await SetClassAsync(fixture, "null");
        await GatewayAsync(fixture, c => c.IsTrue);
        await ConfigAsync(fixture, c => c is { Status: "True", Reason: "GatewayClassAccepted" });
    }

    [Fact]
    public async Task Deleted_class_of_a_Tenant_is_reported_until_it_is_recreated()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Management.ApplyAsync(OwnClass);
        await PatchTenantAsync(fixture, "own");
        await fixture.ApplyBasicExampleAsync();

        await fixture.Management.DeleteAsync<GatewayClass>("", "own");
        await GatewayAsync(fixture, c => c is { Status: "False", Reason: "GatewayClassNotFound" });
        await TenantAsync(fixture, c => c is { Status: "False", Reason: "GatewayClassNotFound" });
        await ConfigAsync(fixture, c => c is { Status: "True", Reason: "GatewayClassAccepted" });
        await Eventually.GetAsync(
            "the Gateway has an Event",
            () => fixture.Tenant.ListAsync<k8s.Models.Corev1Event>("default"),
            events => events.Any(e => e is { Type: "Warning", Reason: "GatewayClassNotFound" })
        );

        await fixture.Management.ApplyAsync(OwnClass);
        await GatewayAsync(fixture, c => c.IsTrue);
        await TenantAsync(fixture, c => c is null);
    }

    [Fact]
    public async Task Manager_that_may_not_list_classes_serves_and_reports_no_problem()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can reject requests on demand");
        await using var bare = await BareManagement.StartAsync();
        using var forbidden = ((EmbeddedTestCluster)bare.Cluster).Server.Faults.Add(
            new FaultRule
            {
                Matches = r => r.Resource == "gatewayclasses",
                StatusCode = 403,
                Times = null,
            }
        );
        await bare.AddTenantAsync(await bare.StartManagerAsync());
        await bare.Objects.CreateAsync(CcmRoutes.Gateway(BareManagement.TenantNamespace));

        var route = await bare.Objects.WaitAsync<Route>(
            BareManagement.TenantNamespace,
            CcmRoutes.Gateway(BareManagement.TenantNamespace).Name,
            r => r.Status?.Resources?.Route?.GeneratedName is { Length: > 0 },
            "is generated"
        );
        route.Status!.Conditions!.Single(c => c.Type == "Programmed").Reason.Should().Be("Pending");
        var config = await bare.Objects.WaitAsync<Config>("kubelb", "default", c => c.Status is not null, "has a status");
        config.Status!.Conditions.Should().NotContain(c => c.Type == "GatewayClassReady");
    }

    [Fact]
    public async Task Envoy_Gateway_that_does_not_report_is_reported_in_the_Config_until_it_does()
    {
        await using var bare = await BareManagement.StartAsync();
        var manager = await bare.StartManagerAsync(configure: services =>
            services.AddSingleton(host => new EnvoyGatewayReports(
                new ManagerOptions { EnvoyGatewayReport = TimeSpan.FromMilliseconds(200) },
                host.GetRequiredService<TimeProvider>()
            ))
        );
        await bare.AddTenantAsync(manager);
        await RespondingAsync(bare, "True");
        await bare.Objects.CreateAsync(CcmRoutes.Gateway(BareManagement.TenantNamespace));
        var generated = await Eventually.GetAsync(
            "the Gateway is generated",
            () => bare.Objects.ListAsync<Gateway>(BareManagement.TenantNamespace),
            gateways => gateways.Count == 1
        );

        (await RespondingAsync(bare, "False"))
            .Message.Should()
            .StartWith("Envoy Gateway has not reported on the object of Route tenant-t1/");

        await bare.Objects.PatchStatusAsync<Gateway>(
            BareManagement.TenantNamespace,
            generated[0].Name,
            new GatewayStatus
            {
                Conditions =
                [
                    new Condition
                    {
                        Type = "Accepted",
                        Status = "True",
                        Reason = "Accepted",
                        LastTransitionTime = "2026-01-01T00:00:00Z",
                        ObservedGeneration = generated[0].Metadata.Generation,
                    },
                ],
            }
        );
        await RespondingAsync(bare, "True");

        static async Task<Condition> RespondingAsync(BareManagement bare, string status)
        {
            var config = await bare.Objects.WaitAsync<Config>(
                "kubelb",
                "default",
                c => c.Status?.Conditions?.Find(o => o.Type == "EnvoyGatewayResponding")?.Status == status,
                "reports it"
            );
            return config.Status!.Conditions!.Single(c => c.Type == "EnvoyGatewayResponding");
        }
    }

    private const string OwnClass = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: GatewayClass
        metadata: {name: own}
        spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
        """;

    private static Task<Config> SetClassAsync(SystemFixture fixture, string name) =>
        fixture.Management.PatchAsync<Config>("kubelb", "default", $"{{\"spec\":{{\"gatewayAPI\":{{\"class\":{name}}}}}}}");

    private static Task<Tenant> PatchTenantAsync(SystemFixture fixture, string name) =>
        fixture.Management.PatchAsync<Tenant>(
            "",
            fixture.Sandbox.Tenants[0].Name,
            $"{{\"spec\":{{\"gatewayAPI\":{{\"class\":\"{name}\"}}}}}}"
        );

    private static async Task<Condition> GatewayAsync(SystemFixture fixture, Func<Condition, bool> programmed)
    {
        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Conditions?.Find(c => c.Type == "Programmed") is { } c && programmed(c),
            "reports it"
        );
        return gateway.Status!.Conditions!.Single(c => c.Type == "Programmed");
    }

    private static async Task<Condition?> ConfigAsync(SystemFixture fixture, Func<Condition?, bool> holds)
    {
        static Condition? ClassOf(Config config) => config.Status?.Conditions?.Find(c => c.Type == "GatewayClassReady");
        return ClassOf(
            await fixture.Management.WaitAsync<Config>("kubelb", "default", c => c.Status is not null && holds(ClassOf(c)), "reports it")
        );
    }

    private static Task<Tenant> TenantAsync(SystemFixture fixture, Func<Condition?, bool> holds) =>
        fixture.Management.WaitAsync<Tenant>(
            "",
            fixture.Sandbox.Tenants[0].Name,
            t => holds(t.Status?.Conditions?.Find(c => c.Type == "GatewayClassReady")),
            "reports it"
        );
}
