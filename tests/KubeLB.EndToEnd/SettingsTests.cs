using System.Collections.Concurrent;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// Settings for a tenant apply at once, forbidden objects are removed, and the status of the source objects has the reason.
/// </summary>
public sealed class SettingsTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Disabled_Gateway_API_removes_existing_objects_until_enabled_again()
    {
        await SetTenantAsync("""{"gatewayAPI":{"disable":true}}""");

        var gateway = await RejectedGatewayAsync("my-gateway", RouteConditions.Disabled);
        Accepted(gateway)!.Message.Should().Contain("disabled").And.Contain("tenant t1").And.Contain("ask the administrator");
        gateway.Status!.Addresses.Should().BeNullOrEmpty();
        Statuses
            .Condition(await RejectedRouteAsync("api-route", RouteConditions.Disabled), "Accepted")!
            .Message.Should()
            .Contain("gatewayAPI.disable");
        await _fixture.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");
        await _fixture.Management.WaitAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            r => r.ParentRefs.Count == 0,
            "is parked, so that it keeps its age"
        );
        await _fixture.Management.WaitAsync<TenantState>(
            "tenant-t1",
            TenantState.DefaultName,
            s => s.Status?.GatewayAPI?.Disable == true,
            "reports it"
        );

        await SetTenantAsync("""{"gatewayAPI":{"disable":null}}""");

        await _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is served again"
        );
        await _fixture.ExpectBackendAsync("api.example.com");
        await _fixture.Management.WaitAsync<TenantState>(
            "tenant-t1",
            TenantState.DefaultName,
            s => s.Status?.GatewayAPI?.Disable != true,
            "reports it"
        );
    }

    [Fact]
    public async Task Tenant_setting_enables_HTTPRoutes_that_the_Config_disables()
    {
        await SetConfigAsync("""{"gatewayAPI":{"disableHTTPRoute":true}}""");
        var route = await RejectedRouteAsync("api-route", RouteConditions.Disabled);
        Statuses
            .Condition(route, "Accepted")!
            .Message.Should()
            .Contain("HTTPRoutes are disabled")
            .And.Contain("gatewayAPI.disableHTTPRoute");
        (await _fixture.AddressAsync()).Should().NotBeEmpty("Gateways are not disabled");

        await SetTenantAsync("""{"gatewayAPI":{"disableHTTPRoute":false}}""");

        await _fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is served again");
    }

    [Fact]
    [Trait("Threat", "many-objects")]
    public async Task Gateway_beyond_the_quota_is_served_after_an_older_one_is_deleted()
    {
        await SetTenantAsync("""{"gatewayAPI":{"gateway":{"limit":1}}}""");
        await WaitUntilOneSecondOldAsync<Gateway>("my-gateway");
        await _fixture.Tenant.ApplyAsync(Documents.Gateway.Replace("my-gateway", "second").Replace("port: 80", "port: 81"));

        var second = await RejectedGatewayAsync("second", RouteConditions.LimitExceeded);
        Accepted(second)!.Message.Should().Contain("Limit of Gateways of tenant t1 reached (1)").And.Contain("gatewayAPI.gateway.limit");
        await _fixture.ExpectBackendAsync("api.example.com");

        await _fixture.Tenant.DeleteAsync<Gateway>("default", "my-gateway");

        await _fixture.Tenant.WaitAsync<Gateway>("default", "second", Statuses.IsProgrammed, "is served instead");
    }

    [Fact]
    [Trait("Threat", "many-objects")]
    public async Task Route_beyond_the_quota_is_not_served_after_a_manager_restart()
    {
        await SetTenantAsync("""{"gatewayAPI":{"route":{"limit":1}}}""");
        await WaitUntilOneSecondOldAsync<HttpRoute>("api-route");
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "newer").Replace("api.example.com", "newer.example.com"));
        await RejectedRouteAsync("newer", RouteConditions.LimitExceeded);
        await _fixture.StopManagerAsync();
        var seen = new ConcurrentBag<string>();
        await using (var observation = _fixture.Management.Observe<HttpRoute>("tenant-t1", route => seen.Add(route.Name)))
        {
            await _fixture.StartManagerAsync();
            await _fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["after.example.com"]}}""");
            await _fixture.ExpectBackendAsync("after.example.com");
            await _fixture.SettleAsync();
        }

        seen.Distinct().Should().Equal("default-api-route");
        await RejectedRouteAsync("newer", RouteConditions.LimitExceeded);
    }

    [Fact]
    [Trait("Threat", "many-objects")]
    public async Task Lowered_route_quota_removes_the_newest_routes_until_it_is_raised()
    {
        await WaitUntilOneSecondOldAsync<HttpRoute>("api-route");
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "newer").Replace("api.example.com", "newer.example.com"));
        await _fixture.ExpectBackendAsync("newer.example.com");

        await SetConfigAsync("""{"gatewayAPI":{"route":{"limit":1}}}""");

        Statuses
            .Condition(await RejectedRouteAsync("newer", RouteConditions.LimitExceeded), "Accepted")!
            .Message.Should()
            .Contain("Limit of HTTPRoutes and GRPCRoutes of tenant t1 reached (1)");
        await _fixture.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-newer");
        await _fixture.ExpectBackendAsync("api.example.com");

        await SetTenantAsync("""{"gatewayAPI":{"route":{"limit":2}}}""");

        await _fixture.ExpectBackendAsync("newer.example.com");
    }

    [Fact]
    [Trait("Threat", "hostnames")]
    public async Task Hostname_outside_the_allowed_domains_is_rejected()
    {
        await SetTenantAsync("""{"allowedDomains":["*.example.com"]}""");

        var gateway = await RejectedGatewayAsync("my-gateway", RouteConditions.HostnameNotAllowed);
        Accepted(gateway)!
            .Message.Should()
            .Contain("Listener http has no hostname")
            .And.Contain("*.example.com")
            .And.Contain("allowedDomains");

        await _fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80"""
                + ""","hostname":"*.example.com","allowedRoutes":{"namespaces":{"from":"All"}}}]}}"""
        );
        await _fixture.ExpectBackendAsync("api.example.com");

        await _fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"hostnames":["api.example.com","a.b.example.com"]}}"""
        );
        Statuses
            .Condition(await RejectedRouteAsync("api-route", RouteConditions.HostnameNotAllowed), "Accepted")!
            .Message.Should()
            .Contain("a.b.example.com")
            .And.Contain("Use a hostname of *.example.com");

        await SetTenantAsync("""{"allowedDomains":["**.example.com"]}""");

        await _fixture.ExpectBackendAsync("a.b.example.com");
    }

    [Fact]
    public async Task Annotation_settings_add_and_remove_propagated_annotations()
    {
        await _fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"metadata":{"annotations":{"dns.example.com/target":"a","internal.example.com/id":"1","gateway.envoyproxy.io/x":"y"}}}"""
        );
        await SetConfigAsync(
            """{"propagateAllAnnotations":true,"deniedAnnotations":["internal.example.com/*"]"""
                + ""","defaultAnnotations":{"all":{"team":"edge"}}}"""
        );

        var route = await _fixture.Management.WaitAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            r => Has(r, "dns.example.com/target"),
            "has the annotation"
        );
        route.Metadata.Annotations.Keys.Should().BeEquivalentTo("dns.example.com/target", "team", Annotations.Applied);
        await _fixture.Management.WaitAsync<Gateway>("tenant-t1", "default-my-gateway", g => Has(g, "team"), "has the default");

        await SetTenantAsync(
            """{"propagatedAnnotations":{"internal.example.com/*":"1, 2"},"deniedAnnotations":[],"defaultAnnotations":{}}"""
        );

        await _fixture.Management.WaitAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            r => Has(r, "internal.example.com/id") && !Has(r, "dns.example.com/target") && !Has(r, "team"),
            "has those that the Tenant allows only"
        );
    }

    [Fact]
    [Trait("Threat", "gateway-scope")]
    public async Task Gateway_class_follows_the_settings()
    {
        await SetConfigAsync("""{"gatewayAPI":{"class":"general"}}""");
        await _fixture.Management.WaitAsync<Gateway>(
            "tenant-t1",
            "default-my-gateway",
            g => g.Spec?.GatewayClassName == "general",
            "has the Config's class"
        );

        await SetTenantAsync("""{"gatewayAPI":{"class":"premium"}}""");
        await _fixture.Management.WaitAsync<Gateway>(
            "tenant-t1",
            "default-my-gateway",
            g => g.Spec?.GatewayClassName == "premium",
            "has the Tenant's class"
        );

        await SetTenantAsync("""{"gatewayAPI":null}""");
        await _fixture.Management.WaitAsync<Gateway>(
            "tenant-t1",
            "default-my-gateway",
            g => g.Spec?.GatewayClassName == "general",
            "has the Config's class again"
        );
    }

    [Fact]
    public async Task Invalid_settings_are_reported_and_routes_are_still_served()
    {
        await SetTenantAsync("""{"deniedAnnotations":["internal[/*"],"allowedDomains":["*.example.com","no domain","**"]}""");
        await SetConfigAsync("""{"defaultAnnotations":{"HTTPRuote":{"a":"b"}}}""");

        var tenant = await _fixture.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => Invalid(t.Status?.Conditions) is { Status: "False" },
            "reports it"
        );
        Invalid(tenant.Status!.Conditions)!.Message.Should().Contain("internal[/*").And.Contain("no domain");
        Invalid(tenant.Status.Conditions)!.ObservedGeneration.Should().Be(tenant.Metadata.Generation);
        TenantConditions.Ready(tenant)!.Status.Should().Be("True");
        var config = await _fixture.Management.WaitAsync<Config>(
            "kubelb",
            Config.DefaultName,
            c => Invalid(c.Status?.Conditions) is { Status: "False" },
            "reports it"
        );
        Invalid(config.Status!.Conditions)!.Message.Should().Contain("HTTPRuote");
        await _fixture.ExpectBackendAsync("api.example.com");

        await SetTenantAsync("""{"deniedAnnotations":null,"allowedDomains":null}""");
        await SetConfigAsync("""{"defaultAnnotations":null}""");

        await _fixture.Management.WaitAsync<Tenant>("", "t1", t => Invalid(t.Status?.Conditions) is null, "has no such condition");
        await _fixture.Management.WaitAsync<Config>(
            "kubelb",
            Config.DefaultName,
            c => Invalid(c.Status?.Conditions) is null,
            "has no such condition"
        );
    }

    private Task<Tenant> SetTenantAsync(string spec) => _fixture.Management.PatchAsync<Tenant>("", "t1", $$"""{"spec":{{spec}}}""");

    private Task<Config> SetConfigAsync(string spec) =>
        _fixture.Management.PatchAsync<Config>("kubelb", Config.DefaultName, $$"""{"spec":{{spec}}}""");

    private Task<Gateway> RejectedGatewayAsync(string name, string reason) =>
        _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            name,
            g => Accepted(g) is { Status: "False" } accepted && accepted.Reason == reason,
            "is rejected"
        );

    private Task<HttpRoute> RejectedRouteAsync(string name, string reason) =>
        _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            name,
            r => Statuses.Condition(r, "Accepted") is { Status: "False" } accepted && accepted.Reason == reason,
            "is rejected"
        );

    // Creation timestamps are whole seconds; of one second the name, which is a UID, decides.
    private async Task WaitUntilOneSecondOldAsync<T>(string name)
        where T : ApiObject
    {
        var uid = (await _fixture.Tenant.GetAsync<T>("default", name))!.Metadata.Uid;
        var created = (await _fixture.Management.GetAsync<Route>("tenant-t1", uid))!.Metadata.CreationTimestamp!.Value;
        await Eventually.HoldsAsync(() => Task.FromResult(DateTime.UtcNow >= created.AddSeconds(1)), "the next second has come");
    }

    private static Condition? Accepted(Gateway gateway) => gateway.Status?.Conditions?.FirstOrDefault(c => c.Type == "Accepted");

    private static Condition? Invalid(List<Condition>? conditions) =>
        conditions?.FirstOrDefault(c => c is { Type: SettingsConditions.SettingsValid, Status: ConditionStatus.False });

    private static bool Has(ApiObject value, string annotation) => value.Metadata.Annotations?.ContainsKey(annotation) == true;
}
