using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// Hostnames that two tenants use: reported to the administrator, and with exclusiveHostnames rejected for the newer one.
/// </summary>
public sealed class SharedHostnameTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync(tenants: 2);
        await _fixture.ApplyBasicExampleAsync(0);
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    [Trait("Threat", "shared-hostnames")]
    [Trait("Threat", "hostname-holder")]
    public async Task Shared_hostname_is_reported_on_both_Tenants_and_not_to_tenants()
    {
        await _fixture.ApplyBasicExampleAsync(1);

        await OverlapAsync("t1", c => c?.Message.Contains("api.example.com (Tenant t2)", StringComparison.Ordinal) == true);
        await OverlapAsync("t2", c => c?.Message.Contains("api.example.com (Tenant t1)", StringComparison.Ordinal) == true);
        await EventAsync("t1", "Warning", "HostnamesOverlap");
        await EventAsync("t2", "Warning", "HostnamesOverlap");
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 0);
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 1);
        await ExpectNoHintAsync();

        await _fixture.Tenants[1].DeleteAsync<HttpRoute>("default", "api-route");

        await OverlapAsync("t1", c => c is null);
        await OverlapAsync("t2", c => c is null);
        await EventAsync("t1", "Normal", "HostnamesUnique");
    }

    [Fact]
    public async Task Report_survives_a_restart_of_the_manager_and_follows_changes_during_it()
    {
        await _fixture.ApplyBasicExampleAsync(1);
        var since = (await OverlapAsync("t1", c => c is not null)).Status!.Conditions!.Single(IsOverlap).LastTransitionTime;

        await _fixture.RestartManagerAsync();
        await _fixture.SettleAsync();

        (await OverlapAsync("t1", c => c is not null)).Status!.Conditions!.Single(IsOverlap).LastTransitionTime.Should().Be(since);

        await _fixture.StopManagerAsync();
        await _fixture.Tenants[1].PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["other.example.com"]}}""");
        await _fixture.SettleAsync();
        await _fixture.StartManagerAsync();

        await OverlapAsync("t1", c => c is null);
        await OverlapAsync("t2", c => c is null);
    }

    [Fact]
    [Trait("Threat", "served-hostnames")]
    public async Task Hostname_outside_the_allowed_domains_is_not_reported_and_blocks_nothing()
    {
        await _fixture.Management.PatchAsync<Tenant>("", "t2", """{"spec":{"allowedDomains":["*.t2.example.com"]}}""");
        await _fixture.Tenants[1].ApplyAsync(GatewayOf("*.example.com"));
        await _fixture.Tenants[1].WaitAsync<Gateway>("default", "wide", g => Accepted(g)?.Reason == "HostnameNotAllowed", "is rejected");
        await _fixture.SettleAsync();
        await OverlapAsync("t1", c => c is null);

        await _fixture.Management.PatchAsync<Tenant>("", "t2", """{"spec":{"allowedDomains":null}}""");
        await OverlapAsync("t1", c => c?.Message.Contains("api.example.com (Tenant t2)", StringComparison.Ordinal) == true);
        await OverlapAsync("t2", c => c?.Message.Contains("*.example.com (Tenant t1)", StringComparison.Ordinal) == true);

        await _fixture.Management.PatchAsync<Tenant>("", "t2", """{"spec":{"allowedDomains":["*.t2.example.com"]}}""");
        await OverlapAsync("t1", c => c is null);
    }

    [Fact]
    [Trait("Threat", "shared-hostnames")]
    public async Task Newer_route_is_rejected_until_the_older_one_is_deleted()
    {
        await ExclusiveAsync("true");
        await ApplyToSecondAsync();

        var rejected = await RejectedAsync("api-route");
        rejected.Message.Should().Contain("api.example.com is already in use").And.NotContain("t1");
        (await _fixture.Management.GetAsync<HttpRoute>("tenant-t2", "default-api-route")).Should().BeNull();
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 0);
        await OverlapAsync("t1", c => c is not null);
        await ExpectNoHintAsync();

        await _fixture.Tenants[0].DeleteAsync<HttpRoute>("default", "api-route");

        await _fixture.Tenants[1].WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is served instead");
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 1);
        await OverlapAsync("t1", c => c is null);
    }

    [Fact]
    public async Task Setting_applies_to_what_is_served_and_can_be_revoked()
    {
        await ApplyToSecondAsync();
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 1);

        await ExclusiveAsync("true");
        await RejectedAsync("api-route");
        await _fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t2", "default-api-route");
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 0);
        await _fixture.RestartManagerAsync();
        await _fixture.SettleAsync();
        await RejectedAsync("api-route");
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 0);

        await ExclusiveAsync("false");
        await _fixture.ExpectBackendAsync("api.example.com", tenant: 1);
    }

    [Fact]
    [Trait("Threat", "served-hostnames")]
    public async Task Hostname_added_to_an_old_route_is_rejected_if_another_tenant_serves_it()
    {
        await ExclusiveAsync("true");
        await ApplyToSecondAsync("new.example.com");
        await _fixture.Tenants[1].WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is served");

        await _fixture.Tenants[0].PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["new.example.com"]}}""");

        await RejectedAsync("api-route", tenant: 0);
        await _fixture.SettleAsync();
        await _fixture.ExpectBackendAsync("new.example.com", tenant: 1);

        await _fixture.Tenants[0].PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["api.example.com"]}}""");
        await _fixture.Tenants[0].WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is served again");
    }

    [Fact]
    [Trait("Threat", "shared-hostnames")]
    public async Task Listener_that_overlaps_a_served_hostname_is_not_served_and_the_others_are()
    {
        await ExclusiveAsync("true");
        await _fixture.Tenants[1].ApplyAsync(GatewayOf("*.example.com", "own.example.net"));

        var gateway = await _fixture
            .Tenants[1]
            .WaitAsync<Gateway>("default", "wide", g => Listener(g, "l0")?.Reason == "HostnameInUse", "has a listener that is not served");
        Listener(gateway, "l0")!.Message.Should().Contain("Hostname *.example.com of listener l0").And.NotContain("t1");
        await _fixture.Tenants[1].WaitAsync<Gateway>("default", "wide", g => Listener(g, "l1")?.Status == "True", "has a served listener");
        (await _fixture.Management.GetAsync<Gateway>("tenant-t2", "default-wide"))!
            .Spec!.Listeners!.Select(l => l.Hostname)
            .Should()
            .Equal("own.example.net");

        await _fixture.Tenants[0].PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["api.example.org"]}}""");

        await _fixture.Tenants[1].WaitAsync<Gateway>("default", "wide", g => Listener(g, "l0")?.Status == "True", "serves both listeners");
    }

    private async Task ApplyToSecondAsync(string hostname = "api.example.com")
    {
        // Ages have seconds.
        var first = await _fixture.Tenants[0].GetAsync<HttpRoute>("default", "api-route");
        await Eventually.HoldsAsync(
            () => Task.FromResult(DateTime.UtcNow - first!.Metadata.CreationTimestamp > TimeSpan.FromSeconds(2)),
            "the second route is newer"
        );
        foreach (var manifest in new[] { Documents.Gateway, Documents.Backend, Documents.Deployment, Documents.Route })
        {
            await _fixture.Tenants[1].ApplyAsync(manifest.Replace("api.example.com", hostname, StringComparison.Ordinal));
        }
    }

    private Task<Config> ExclusiveAsync(string value) =>
        _fixture.Management.PatchAsync<Config>("kubelb", "default", $$"""{"spec":{"exclusiveHostnames":{{value}} } }""");

    private static string GatewayOf(params string[] hostnames) =>
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: wide}\nspec:\n  gatewayClassName: kubelb\n  listeners:\n"
        + string.Concat(hostnames.Select((h, i) => $"  - {{name: l{i}, protocol: HTTP, port: 80, hostname: \"{h}\"}}\n"));

    private static Condition? Accepted(Gateway gateway) => gateway.Status?.Conditions?.FirstOrDefault(c => c.Type == "Accepted");

    private static Condition? Listener(Gateway gateway, string name) =>
        gateway.Status?.Listeners?.FirstOrDefault(l => l.Name == name)?.Conditions?.FirstOrDefault(c => c.Type == "Accepted");

    private static bool IsOverlap(Condition condition) =>
        condition is { Type: "HostnamesUnique", Status: "False", Reason: "HostnamesOverlap" };

    private Task<Tenant> OverlapAsync(string tenant, Func<Condition?, bool> holds) =>
        _fixture.Management.WaitAsync<Tenant>(
            "",
            tenant,
            t => holds(t.Status?.Conditions?.FirstOrDefault(IsOverlap)),
            "has HostnamesUnique as expected"
        );

    private async Task<Condition> RejectedAsync(string route, int tenant = 1)
    {
        var rejected = await _fixture
            .Tenants[tenant]
            .WaitAsync<HttpRoute>(
                "default",
                route,
                r => Statuses.Condition(r, "Accepted") is { Status: "False", Reason: "HostnameInUse" },
                "is rejected"
            );
        return Statuses.Condition(rejected, "Accepted")!;
    }

    private Task EventAsync(string tenant, string type, string reason) =>
        Eventually.HoldsAsync(
            async () =>
                (await _fixture.Management.ListAsync<Corev1Event>("default")).Any(e =>
                    e.InvolvedObject.Name == tenant && e.Type == type && e.Reason == reason
                ),
            $"there is a {type} Event {reason} of Tenant {tenant}"
        );

    // What a tenant can read in its cluster, and with its kubeconfig.
    private async Task ExpectNoHintAsync()
    {
        foreach (var (own, other) in new[] { (0, "t2"), (1, "t1") })
        {
            var @namespace = $"tenant-t{own + 1}";
            string[] texts =
            [
                .. (await _fixture.Tenants[own].ListAsync<HttpRoute>()).Select(o => Text(o.Status)),
                .. (await _fixture.Tenants[own].ListAsync<Gateway>()).Select(o => Text(o.Status)),
                .. (await _fixture.Tenants[own].ListAsync<Corev1Event>()).Select(e => $"{e.Reason} {e.Message}"),
                .. (await _fixture.Management.ListAsync<Route>(@namespace)).Select(o => Text(o.Status)),
                .. (await _fixture.Management.ListAsync<TenantState>(@namespace)).Select(o => Text(o.Status)),
                .. (await _fixture.Management.ListAsync<Addresses>(@namespace)).Select(o => Text(o.Status)),
            ];
            texts
                .Should()
                .NotContain(t => t.Contains("HostnamesOverlap") || t.Contains($"tenant-{other}") || t.Contains($"Tenant {other}"));
        }
    }

    private static string Text(object? status) => status is null ? "" : ApiJson.ToJson(status).ToJsonString();
}
