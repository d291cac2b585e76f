using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Inspection.Tests.Dashboard.Support;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>The data of the page, from a sandbox that serves the first example of the documentation.</summary>
[Collection(DashboardCollection.Name)]
public sealed class DashboardApiTests(DashboardFixture fixture)
{
    private const string ApiRoute = "kind=HTTPRoute&namespace=default&name=api-route&tenant=t1";

    [Fact]
    public async Task Overview_lists_tenant_Gateway_and_route()
    {
        var overview = await fixture.Client.OverviewAsync(
            rows => rows.All(r => r.GetProperty("state").GetString() == "Ok"),
            "all objects work"
        );

        overview
            .GetProperty("rows")
            .EnumerateArray()
            .Select(r => $"{r.GetProperty("tenant")} {r.GetProperty("kind")} {r.GetProperty("namespace")}/{r.GetProperty("name")}")
            .Should()
            .Contain(["t1 Tenant /t1", "t1 Gateway default/my-gateway", "t1 HTTPRoute default/api-route"]);
        overview.GetProperty("problems").GetArrayLength().Should().Be(0);
    }

    [Fact]
    public async Task Path_of_a_route_is_drawn_from_the_client_to_the_pods()
    {
        var view = await fixture.Client.TraceAsync(
            ApiRoute,
            v =>
                Boxes(v, "data").Concat(Boxes(v, "configuration")).All(b => b.State == "Ok")
                && v.ToString().Contains("acknowledged", StringComparison.Ordinal),
            "all boxes work"
        );

        Boxes(view, "data").Select(b => b.Key).Should().Equal("client", "gateway", "proxies", "nodes", "pods");
        Boxes(view, "configuration").Select(b => b.Key).Should().Equal("source", "copy", "generated", "envoyGateway");
        Boxes(view, "data")[4].Detail.Should().Be("2 ready");
        view.GetProperty("conditions")
            .EnumerateArray()
            .Select(c => c.GetProperty("cluster").GetString())
            .Should()
            .Contain(["tenant", "management"]);
        var proxies = view.GetProperty("paths")[0]
            .GetProperty("trace")
            .GetProperty("hops")
            .EnumerateArray()
            .Single(h => h.GetProperty("title").GetString() == "Tenant proxies");
        proxies
            .GetProperty("parts")
            .EnumerateArray()
            .Select(p => p.GetProperty("detail").GetString())
            .Should()
            .NotBeEmpty()
            .And.AllBe("acknowledged the latest configuration");
    }

    [Fact]
    public async Task Path_of_a_missing_object_says_so()
    {
        var view = await fixture.Client.GetAsync("api/trace?kind=HTTPRoute&namespace=default&name=api-rout&tenant=t1");

        view.GetProperty("paths")[0]
            .GetProperty("trace")
            .GetProperty("break")
            .GetProperty("message")
            .GetString()
            .Should()
            .Contain("api-route?");
    }

    [Fact]
    public async Task Events_of_a_route_are_listed()
    {
        var events = await fixture.Client.GetAsync("api/events?" + ApiRoute);

        events.GetProperty("problems").GetArrayLength().Should().Be(0);
        events
            .GetProperty("events")
            .EnumerateArray()
            .Select(e => $"{e.GetProperty("cluster")} {e.GetProperty("object")} {e.GetProperty("reason")}")
            .Should()
            .Contain("tenant HTTPRoute api-route Accepted");
    }

    [Fact]
    public async Task Stream_has_only_the_rows_that_change_and_the_new_path()
    {
        var version = (await fixture.Client.GetAsync("api/overview")).GetProperty("version").GetInt64();
        using var stream = await fixture.Client.FollowAsync($"since={version}&{ApiRoute}");
        await stream.NextAsync("trace");

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["new.example.com"]}}""");

        var (rows, _) = await stream.NextAsync("rows", r => r.GetProperty("changed").GetArrayLength() > 0);
        rows.GetProperty("changed").EnumerateArray().Select(r => r.GetProperty("name").GetString()).Should().AllBe("api-route");
        await stream.NextAsync("trace", t => t.ToString().Contains("new.example.com", StringComparison.Ordinal));

        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["api.example.com"]}}""");
        await stream.NextAsync(
            "rows",
            r => r.GetProperty("changed").EnumerateArray().Any(c => c.GetProperty("hostnames").GetString() == "api.example.com")
        );
    }

    [Fact]
    public async Task Request_reaches_a_pod()
    {
        var (status, body) = await ProbeAsync(await AddressAsync());

        status.Should().Be(HttpStatusCode.OK);
        body.GetProperty("hop").GetProperty("detail").GetString().Should().StartWith("200 in ");
        body.GetProperty("end").GetString().Should().Be("pods");
    }

    [Fact]
    public async Task Request_for_another_hostname_names_both_causes_of_a_404()
    {
        var (_, body) = await ProbeAsync(await AddressAsync(), b => b["hostname"] = "other.example.com");

        body.GetProperty("hop").GetProperty("detail").GetString().Should().StartWith("404 in ");
        body.GetProperty("hop").GetProperty("message").GetString().Should().StartWith("No rule matches");
        body.TryGetProperty("end", out _).Should().BeFalse("a pod may have responded as well");
    }

    [Theory]
    [InlineData("method", "CONNECT", "Unknown method")]
    [InlineData("path", "no-slash", "Invalid path")]
    [InlineData("path", "/a\r\nHost: b", "Invalid path")]
    [InlineData("hostname", "a b", "Invalid hostname")]
    [InlineData("hostname", "a/b@c", "Invalid hostname")]
    [InlineData("header", "x\r\ny", "Invalid header")]
    public async Task Request_with_an_invalid_part_is_not_sent(string part, string value, string problem)
    {
        var (status, body) = await ProbeAsync(
            await AddressAsync(),
            b =>
            {
                if (part == "header")
                {
                    b["headers"] = new JsonArray(new JsonObject { ["name"] = "x", ["value"] = value });
                }
                else
                {
                    b[part] = value;
                }
            }
        );

        status.Should().Be(HttpStatusCode.BadRequest);
        body.GetProperty("problem").GetString().Should().StartWith(problem);
    }

    [Trait("Threat", "dashboard-requests")]
    [Fact]
    public async Task Request_to_an_address_that_the_page_did_not_show_is_not_sent()
    {
        var (status, body) = await ProbeAsync("203.0.113.1:80");

        status.Should().Be(HttpStatusCode.BadRequest);
        body.GetProperty("problem").GetString().Should().Contain("Check it");
    }

    private Task<(HttpStatusCode Status, JsonElement Body)> ProbeAsync(string address, Action<JsonObject>? change = null)
    {
        var body = new JsonObject
        {
            ["selection"] = new JsonObject
            {
                ["kind"] = "HTTPRoute",
                ["namespace"] = "default",
                ["name"] = "api-route",
                ["tenant"] = "t1",
            },
            ["address"] = address,
            ["hostname"] = "api.example.com",
        };
        change?.Invoke(body);
        return fixture.Client.PostAsync("api/probe", body);
    }

    private async Task<string> AddressAsync()
    {
        var view = await fixture.Client.TraceAsync(
            ApiRoute,
            v => v.GetProperty("paths")[0].GetProperty("trace").TryGetProperty("endpoint", out _),
            "the Gateway has an address"
        );
        var endpoint = view.GetProperty("paths")[0].GetProperty("trace").GetProperty("endpoint");
        return $"{endpoint.GetProperty("address")}:{endpoint.GetProperty("port")}";
    }

    private static List<(string Key, string State, string Detail)> Boxes(JsonElement view, string row) =>
        [
            .. view.GetProperty("paths")[0]
                .GetProperty("drawing")
                .GetProperty(row)
                .EnumerateArray()
                .Select(b =>
                    (b.GetProperty("key").GetString()!, b.GetProperty("state").GetString()!, b.GetProperty("detail").GetString()!)
                ),
        ];
}
