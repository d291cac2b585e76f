using System.Collections.Concurrent;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace KubeLB.EndToEnd;

/// <summary>Served objects that become invalid are removed, report the reason, and are served again once corrected.</summary>
public sealed class RejectedObjectTests
{
    private const string WithExtension = """
        {"spec":{"rules":[{
          "filters":[{"type":"ExtensionRef","extensionRef":{"group":"gateway.envoyproxy.io","kind":"HTTPRouteFilter",
            "name":"direct-response"}}],
          "backendRefs":[{"name":"api-backend","port":8080}]}]}}
        """;

    // The listener of the Gateway has no hostname; that of the route is allowed.
    private const string WithAllowedDomain = """{"spec":{"allowedDomains":["api.example.com"]}}""";
    private const string WithoutAllowedDomain = """{"spec":{"allowedDomains":null}}""";
    private const int NoResponse = 0;
    private const string Corrected = """{"spec":{"rules":[{"backendRefs":[{"name":"api-backend","port":8080}]}]}}""";

    [Fact]
    [Trait("Threat", "foreign-filters")]
    public async Task Served_route_that_becomes_invalid_is_removed_until_corrected()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var address = await fixture.AddressAsync();

        var patched = await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", WithExtension);

        var rejected = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is rejected"
        );
        Statuses.Condition(rejected, "Accepted")!.ObservedGeneration.Should().Be(patched.Metadata.Generation);
        Statuses.Condition(rejected, "Accepted")!.Message.Should().Contain("extensionRef");
        rejected
            .Status!.Parents.SelectMany(p => p.Conditions)
            .Should()
            .OnlyContain(c => c.Status == "False", "no condition of the route is True");
        await fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");
        await fixture.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        await fixture.ExpectStatusAsync(address, "api.example.com", 404);

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", Corrected);

        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved again"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Served_Gateway_that_the_settings_reject_is_removed_with_its_routes()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var address = await fixture.AddressAsync();

        var gateway = (await fixture.Tenant.GetAsync<Gateway>("default", "my-gateway"))!;
        await fixture.Management.PatchAsync<Tenant>("", "t1", WithAllowedDomain);

        var rejected = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Conditions?.Any(c => c is { Type: "Accepted", Status: "False" }) == true,
            "is rejected"
        );
        rejected.Status!.Conditions.Should().OnlyContain(c => c.Status == "False" && c.ObservedGeneration == gateway.Metadata.Generation);
        rejected.Status.Conditions.Should().Contain(c => c.Type == "Programmed").And.Contain(c => c.Message.Contains("hostname"));
        rejected.Status.Addresses.Should().BeNullOrEmpty();
        rejected.Status.Listeners.Should().BeNullOrEmpty();
        await fixture.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "reports that its Gateway is rejected"
        );
        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("NoReadyListeners");
        await fixture.ExpectStatusAsync(address, "api.example.com", NoResponse);

        await fixture.Management.PatchAsync<Tenant>("", "t1", WithoutAllowedDomain);

        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved again"
        );
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Rejection_is_logged_once_across_reconciles()
    {
        using var logs = new CapturedLogs();
        await using var fixture = await SystemFixture.StartAsync(configure: o => o with { Logging = logging => logging.AddProvider(logs) });
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", WithExtension);
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is rejected"
        );

        var patched = await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"hostnames":["again.example.com"]}}"""
        );
        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted")?.ObservedGeneration == patched.Metadata.Generation,
            "is rejected again"
        );
        await fixture.SettleAsync();

        logs.Lines.Where(line =>
                line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("extensionRef", StringComparison.Ordinal)
            )
            .Should()
            .ContainSingle()
            .Which.Should()
            .Contain("HTTPRoute default/api-route");
    }

    [Fact]
    public async Task Rejection_that_the_tenant_cannot_correct_is_retried_and_not_reported()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can reject writes on demand");
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        var management = (EmbeddedTestCluster)fixture.Sandbox.Management;
        var shown = new ConcurrentQueue<string>();
        await using var observation = fixture.Tenant.Observe<HttpRoute>(
            "default",
            route =>
            {
                if (Statuses.Condition(route, "Accepted") is { Status: "False" } condition)
                {
                    shown.Enqueue(condition.Message);
                }
            }
        );

        using (
            management.Server.Faults.Add(
                new FaultRule
                {
                    Matches = IsWriteOfARoute,
                    StatusCode = 403,
                    Times = null,
                }
            )
        )
        {
            await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["b.example.com"]}}""");
            await Eventually.HoldsAsync(
                () => Task.FromResult(management.Requests().Count(r => IsWriteOfARoute(r) && r.StatusCode == 403) > 2),
                "several writes of the manager are rejected"
            );
        }

        await fixture.ExpectBackendAsync("b.example.com");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        shown.Should().BeEmpty();
    }

    private static bool IsWriteOfARoute(RequestRecord request) =>
        request.IsWrite && request.Resource == "httproutes" && request.UserAgent == "kubelb-manager";
}
