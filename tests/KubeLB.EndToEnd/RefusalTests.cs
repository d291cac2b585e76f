using System.Collections.Concurrent;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EmbeddedCluster;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters.Embedded;
using Microsoft.Extensions.Logging;

namespace KubeLB.EndToEnd;

/// <summary>What was served and is then refused is taken out of service, says so, and is served again when it is mended.</summary>
public sealed class RefusalTests
{
    private const string WithExtension = """
        {"spec":{"rules":[{
          "filters":[{"type":"ExtensionRef","extensionRef":{"group":"gateway.envoyproxy.io","kind":"HTTPRouteFilter","name":"direct-response"}}],
          "backendRefs":[{"name":"api-backend","port":8080}]}]}}
        """;

    private const string WithForeignReference =
        """{"spec":{"tls":{"backend":{"clientCertificateRef":{"name":"c","namespace":"kube-system"}}}}}""";
    private const string WithoutForeignReference = """{"spec":{"tls":null}}""";
    private const int NobodyListens = 0;
    private const string Mended = """{"spec":{"rules":[{"backendRefs":[{"name":"api-backend","port":8080}]}]}}""";

    [Fact]
    public async Task A_served_route_that_is_refused_goes_out_of_service_and_comes_back_when_it_is_mended()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var address = await bed.AddressAsync();

        var patched = await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", WithExtension);

        var refused = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is refused"
        );
        Statuses.Condition(refused, "Accepted")!.ObservedGeneration.Should().Be(patched.Metadata.Generation);
        Statuses.Condition(refused, "Accepted")!.Message.Should().Contain("ExtensionRef");
        refused
            .Status!.Parents.SelectMany(p => p.Conditions)
            .Should()
            .OnlyContain(c => c.Status == "False", "nothing of the route holds any more");
        await bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");
        await bed.Management.WaitGoneAsync<V1Service>("tenant-t1", "default-api-route-api-backend");
        await bed.ExpectStatusAsync(address, "api.example.com", 404);

        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", Mended);

        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved again"
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_served_gateway_that_is_refused_is_gone_and_claims_nothing_nor_do_its_routes()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var address = await bed.AddressAsync();

        var patched = await bed.Tenant.PatchAsync<Gateway>("default", "my-gateway", WithForeignReference);

        var refused = await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Conditions?.Any(c => c is { Type: "Accepted", Status: "False" }) == true,
            "is refused"
        );
        refused.Status!.Conditions.Should().OnlyContain(c => c.Status == "False" && c.ObservedGeneration == patched.Metadata.Generation);
        refused
            .Status.Conditions.Should()
            .Contain(c => c.Type == "Programmed")
            .And.Contain(c => c.Message.Contains("clientCertificateRef"));
        refused.Status.Addresses.Should().BeNullOrEmpty();
        refused.Status.Listeners.Should().BeNullOrEmpty();
        await bed.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "says that its Gateway is refused"
        );
        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("NoReadyListeners");
        await bed.ExpectStatusAsync(address, "api.example.com", NobodyListens);

        await bed.Tenant.PatchAsync<Gateway>("default", "my-gateway", WithoutForeignReference);

        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved again"
        );
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_refusal_is_logged_once_however_often_it_is_looked_at()
    {
        using var logs = new CapturedLogs();
        await using var bed = await SystemFixture.StartAsync(configure: o => o with { Logging = logging => logging.AddProvider(logs) });
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", WithExtension);
        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is refused"
        );

        var patched = await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["again.example.com"]}}""");
        await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted")?.ObservedGeneration == patched.Metadata.Generation,
            "is refused again"
        );
        await bed.SettleAsync();

        logs.Lines.Where(line =>
                line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("ExtensionRef", StringComparison.Ordinal)
            )
            .Should()
            .ContainSingle()
            .Which.Should()
            .Contain("HTTPRoute default/api-route");
    }

    [Fact]
    public async Task A_refusal_that_the_tenant_cannot_mend_is_tried_again_and_not_shown()
    {
        Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters refuse writes on demand");
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        var management = (EmbeddedTestCluster)bed.Sandbox.Management;
        var shown = new ConcurrentQueue<string>();
        await using var observation = bed.Tenant.Observe<HttpRoute>(
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
            await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["b.example.com"]}}""");
            await Eventually.HoldsAsync(
                "the manager is refused several times",
                () => Task.FromResult(management.Requests().Count(r => IsWriteOfARoute(r) && r.StatusCode == 403) > 2)
            );
        }

        await bed.ExpectBackendAsync("b.example.com");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");
        shown.Should().BeEmpty();
    }

    private static bool IsWriteOfARoute(RequestRecord request) =>
        request.IsWrite && request.Resource == "httproutes" && request.UserAgent == "kubelb-manager";
}
