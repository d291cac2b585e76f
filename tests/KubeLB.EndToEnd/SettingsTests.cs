using System.Collections.Concurrent;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>
/// What an operator sets for a tenant is in force at once, what it forbids is taken out of service, and the tenant reads why.
/// </summary>
public sealed class SettingsTests : IAsyncLifetime
{
    private SystemFixture _bed = null!;

    public async ValueTask InitializeAsync()
    {
        _bed = await SystemFixture.StartAsync();
        await _bed.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task Gateway_api_that_is_switched_off_removes_what_exists_and_serves_it_again_when_it_is_switched_on()
    {
        await SetTenantAsync("""{"gatewayAPI":{"disable":true}}""");

        var gateway = await RefusedGatewayAsync("my-gateway", RouteConditions.Disabled);
        Accepted(gateway)!.Message.Should().Contain("switched off").And.Contain("Tenant t1").And.Contain("ask its administrator");
        gateway.Status!.Addresses.Should().BeNullOrEmpty();
        Statuses
            .Condition(await RefusedRouteAsync("api-route", RouteConditions.Disabled), "Accepted")!
            .Message.Should()
            .Contain("gatewayAPI.disable");
        await _bed.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");
        await _bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-api-route");
        await _bed.Management.WaitAsync<TenantState>(
            "tenant-t1",
            TenantState.DefaultName,
            s => s.Status?.GatewayAPI?.Disable == true,
            "says so"
        );

        await SetTenantAsync("""{"gatewayAPI":{"disable":null}}""");

        await _bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is served again"
        );
        await _bed.ExpectBackendAsync("api.example.com");
        await _bed.Management.WaitAsync<TenantState>(
            "tenant-t1",
            TenantState.DefaultName,
            s => s.Status?.GatewayAPI?.Disable != true,
            "says so"
        );
    }

    [Fact]
    public async Task Http_routes_that_the_config_switches_off_are_on_for_a_tenant_that_says_so()
    {
        await SetConfigAsync("""{"gatewayAPI":{"disableHTTPRoute":true}}""");
        var route = await RefusedRouteAsync("api-route", RouteConditions.Disabled);
        Statuses
            .Condition(route, "Accepted")!
            .Message.Should()
            .Contain("HTTPRoutes are switched off")
            .And.Contain("gatewayAPI.disableHTTPRoute");
        (await _bed.AddressAsync()).Should().NotBeEmpty("Gateways are not switched off");

        await SetTenantAsync("""{"gatewayAPI":{"disableHTTPRoute":false}}""");

        await _bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is served again");
    }

    [Fact]
    public async Task Beyond_the_limit_the_oldest_gateway_is_served_and_the_next_one_when_it_goes()
    {
        await SetTenantAsync("""{"gatewayAPI":{"gateway":{"limit":1}}}""");
        await OlderThanASecondAsync<Gateway>("my-gateway");
        await _bed.Tenant.ApplyAsync(Documents.Gateway.Replace("my-gateway", "second").Replace("port: 80", "port: 81"));

        var second = await RefusedGatewayAsync("second", RouteConditions.LimitExceeded);
        Accepted(second)!.Message.Should().Contain("The limit of Gateways of Tenant t1 is 1").And.Contain("gatewayAPI.gateway.limit");
        await _bed.ExpectBackendAsync("api.example.com");

        await _bed.Tenant.DeleteAsync<Gateway>("default", "my-gateway");

        await _bed.Tenant.WaitAsync<Gateway>("default", "second", Statuses.IsProgrammed, "is served in its place");
    }

    [Fact]
    public async Task What_is_beyond_a_limit_is_not_served_by_a_manager_that_starts_anew_either()
    {
        await SetTenantAsync("""{"gatewayAPI":{"route":{"limit":1}}}""");
        await OlderThanASecondAsync<HttpRoute>("api-route");
        await _bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "newer").Replace("api.example.com", "newer.example.com"));
        await RefusedRouteAsync("newer", RouteConditions.LimitExceeded);
        await _bed.StopManagerAsync();
        var seen = new ConcurrentBag<string>();
        await using (var observation = _bed.Management.Observe<HttpRoute>("tenant-t1", route => seen.Add(route.Name)))
        {
            await _bed.StartManagerAsync();
            await _bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["after.example.com"]}}""");
            await _bed.ExpectBackendAsync("after.example.com");
            await _bed.SettleAsync();
        }

        seen.Distinct().Should().Equal("default-api-route");
        await RefusedRouteAsync("newer", RouteConditions.LimitExceeded);
    }

    [Fact]
    public async Task A_limit_that_is_lowered_takes_the_newest_routes_out_of_service_and_one_that_is_raised_puts_them_back()
    {
        await OlderThanASecondAsync<HttpRoute>("api-route");
        await _bed.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "newer").Replace("api.example.com", "newer.example.com"));
        await _bed.ExpectBackendAsync("newer.example.com");

        await SetConfigAsync("""{"gatewayAPI":{"route":{"limit":1}}}""");

        Statuses
            .Condition(await RefusedRouteAsync("newer", RouteConditions.LimitExceeded), "Accepted")!
            .Message.Should()
            .Contain("The limit of HTTPRoutes and GRPCRoutes of Tenant t1 is 1");
        await _bed.Management.WaitGoneAsync<HttpRoute>("tenant-t1", "default-newer");
        await _bed.ExpectBackendAsync("api.example.com");

        await SetTenantAsync("""{"gatewayAPI":{"route":{"limit":2}}}""");

        await _bed.ExpectBackendAsync("newer.example.com");
    }

    [Fact]
    public async Task Hostnames_are_those_of_the_allowed_domains()
    {
        await SetTenantAsync("""{"allowedDomains":["*.example.com"]}""");

        var gateway = await RefusedGatewayAsync("my-gateway", RouteConditions.HostnameNotAllowed);
        Accepted(gateway)!
            .Message.Should()
            .Contain("Listener http has no hostname")
            .And.Contain("*.example.com")
            .And.Contain("allowedDomains");

        await _bed.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"hostname":"*.example.com","allowedRoutes":{"namespaces":{"from":"All"}}}]}}"""
        );
        await _bed.ExpectBackendAsync("api.example.com");

        await _bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["api.example.com","a.b.example.com"]}}""");
        Statuses
            .Condition(await RefusedRouteAsync("api-route", RouteConditions.HostnameNotAllowed), "Accepted")!
            .Message.Should()
            .Contain("a.b.example.com")
            .And.Contain("may use *.example.com");

        await SetTenantAsync("""{"allowedDomains":["**.example.com"]}""");

        await _bed.ExpectBackendAsync("a.b.example.com");
    }

    [Fact]
    public async Task Annotations_come_and_go_with_the_settings()
    {
        await _bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"metadata":{"annotations":{"dns.example.com/target":"a","internal.example.com/id":"1","gateway.envoyproxy.io/x":"y"}}}"""
        );
        await SetConfigAsync(
            """{"propagateAllAnnotations":true,"deniedAnnotations":["internal.example.com/*"],"defaultAnnotations":{"all":{"team":"edge"}}}"""
        );

        var route = await _bed.Management.WaitAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            r => Has(r, "dns.example.com/target"),
            "has the annotation"
        );
        route.Metadata.Annotations.Keys.Should().BeEquivalentTo("dns.example.com/target", "team", Annotations.Applied);
        await _bed.Management.WaitAsync<Gateway>("tenant-t1", "default-my-gateway", g => Has(g, "team"), "has the default");

        await SetTenantAsync(
            """{"propagatedAnnotations":{"internal.example.com/*":"1, 2"},"deniedAnnotations":[],"defaultAnnotations":{}}"""
        );

        await _bed.Management.WaitAsync<HttpRoute>(
            "tenant-t1",
            "default-api-route",
            r => Has(r, "internal.example.com/id") && !Has(r, "dns.example.com/target") && !Has(r, "team"),
            "has those that the Tenant allows only"
        );
    }

    [Fact]
    public async Task The_class_of_a_gateway_changes_with_the_settings()
    {
        await SetConfigAsync("""{"gatewayAPI":{"class":"general"}}""");
        await _bed.Management.WaitAsync<Gateway>(
            "tenant-t1",
            "default-my-gateway",
            g => g.Spec?.GatewayClassName == "general",
            "has the Config's class"
        );

        await SetTenantAsync("""{"gatewayAPI":{"class":"premium"}}""");
        await _bed.Management.WaitAsync<Gateway>(
            "tenant-t1",
            "default-my-gateway",
            g => g.Spec?.GatewayClassName == "premium",
            "has the Tenant's class"
        );

        await SetTenantAsync("""{"gatewayAPI":null}""");
        await _bed.Management.WaitAsync<Gateway>(
            "tenant-t1",
            "default-my-gateway",
            g => g.Spec?.GatewayClassName == "general",
            "has the Config's class again"
        );
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_are_told_and_nothing_else_suffers()
    {
        await SetTenantAsync("""{"deniedAnnotations":["internal[/*"],"allowedDomains":["*.example.com","no domain","**"]}""");
        await SetConfigAsync("""{"defaultAnnotations":{"HTTPRuote":{"a":"b"}}}""");

        var tenant = await _bed.Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => Invalid(t.Status?.Conditions) is { Status: "False" },
            "says so"
        );
        Invalid(tenant.Status!.Conditions)!.Message.Should().Contain("internal[/*").And.Contain("no domain");
        Invalid(tenant.Status.Conditions)!.ObservedGeneration.Should().Be(tenant.Metadata.Generation);
        TenantConditions.Ready(tenant)!.Status.Should().Be("True");
        var config = await _bed.Management.WaitAsync<Config>(
            "kubelb",
            Config.DefaultName,
            c => Invalid(c.Status?.Conditions) is { Status: "False" },
            "says so"
        );
        Invalid(config.Status!.Conditions)!.Message.Should().Contain("HTTPRuote");
        await _bed.ExpectBackendAsync("api.example.com");

        await SetTenantAsync("""{"deniedAnnotations":null,"allowedDomains":null}""");
        await SetConfigAsync("""{"defaultAnnotations":null}""");

        await _bed.Management.WaitAsync<Tenant>("", "t1", t => Invalid(t.Status?.Conditions) is null, "has nothing to say any more");
        await _bed.Management.WaitAsync<Config>(
            "kubelb",
            Config.DefaultName,
            c => Invalid(c.Status?.Conditions) is null,
            "has nothing to say any more"
        );
    }

    private Task<Tenant> SetTenantAsync(string spec) => _bed.Management.PatchAsync<Tenant>("", "t1", $$"""{"spec":{{spec}}}""");

    private Task<Config> SetConfigAsync(string spec) =>
        _bed.Management.PatchAsync<Config>("kubelb", Config.DefaultName, $$"""{"spec":{{spec}}}""");

    private Task<Gateway> RefusedGatewayAsync(string name, string reason) =>
        _bed.Tenant.WaitAsync<Gateway>(
            "default",
            name,
            g => Accepted(g) is { Status: "False" } accepted && accepted.Reason == reason,
            "is refused"
        );

    private Task<HttpRoute> RefusedRouteAsync(string name, string reason) =>
        _bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            name,
            r => Statuses.Condition(r, "Accepted") is { Status: "False" } accepted && accepted.Reason == reason,
            "is refused"
        );

    // API servers tell whole seconds; of one second the name decides, which is a UID.
    private async Task OlderThanASecondAsync<T>(string name)
        where T : ApiObject
    {
        var uid = (await _bed.Tenant.GetAsync<T>("default", name))!.Metadata.Uid;
        var created = (await _bed.Management.GetAsync<Route>("tenant-t1", uid))!.Metadata.CreationTimestamp!.Value;
        await Eventually.HoldsAsync("the next second has come", () => Task.FromResult(DateTime.UtcNow >= created.AddSeconds(1)));
    }

    private static Condition? Accepted(Gateway gateway) => gateway.Status?.Conditions?.FirstOrDefault(c => c.Type == "Accepted");

    private static Condition? Invalid(List<Condition>? conditions) =>
        conditions?.FirstOrDefault(c => c.Type == SettingsConditions.SettingsValid);

    private static bool Has(ApiObject value, string annotation) => value.Metadata.Annotations?.ContainsKey(annotation) == true;
}
