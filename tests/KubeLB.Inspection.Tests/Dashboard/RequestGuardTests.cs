using System.Net;
using System.Text;
using System.Text.Json;
using KubeLB.Inspection.Dashboard;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>Who may use the page: no cluster is needed to reject a request.</summary>
public sealed class RequestGuardTests : IAsyncLifetime
{
    private DashboardServer _server = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await DashboardServer.StartAsync(new DashboardOptions());
        _http = new HttpClient { BaseAddress = _server.Address };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Request_with_the_key_is_served()
    {
        using var response = await SendAsync(HttpMethod.Get, "api/overview");

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).Should().Contain("--management-kubeconfig");
    }

    [Trait("Threat", "dashboard-access")]
    [Theory]
    [InlineData("api/overview")]
    [InlineData("api/trace?kind=HTTPRoute&namespace=default&name=a")]
    [InlineData("api/events?kind=HTTPRoute&namespace=default&name=a")]
    [InlineData("api/stream")]
    [InlineData("api/unknown")]
    public async Task Request_for_data_without_the_key_is_rejected(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path, ("X-KubeLB-Key", "0000"));

        response.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Trait("Threat", "dashboard-rebinding")]
    [Theory]
    [InlineData("evil.example.com")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1.evil.example.com:PORT")]
    [InlineData("localhost.evil.example.com:PORT")]
    [InlineData("[::1]:PORT")]
    public async Task Request_with_another_host_is_rejected_also_with_the_key(string host)
    {
        foreach (var path in new[] { "", "page.js", "api/overview" })
        {
            using var response = await SendAsync(
                HttpMethod.Get,
                path,
                ("Host", host.Replace("PORT", $"{_server.Address.Port}", StringComparison.Ordinal))
            );

            response.StatusCode.Should().Be(HttpStatusCode.MisdirectedRequest);
        }
    }

    [Trait("Threat", "dashboard-other-sites")]
    [Theory]
    [InlineData("Origin", "http://evil.example.com")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://127.0.0.1:1")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Request_of_another_site_is_rejected_also_with_the_key(string header, string value)
    {
        foreach (var (method, path) in new[] { (HttpMethod.Get, "api/overview"), (HttpMethod.Post, "api/probe") })
        {
            using var response = await SendAsync(method, path, (header, value));

            response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        }
    }

    [Trait("Threat", "dashboard-other-sites")]
    [Fact]
    public async Task Preflight_request_of_another_site_gets_no_permission()
    {
        using var response = await SendAsync(
            HttpMethod.Options,
            "api/probe",
            ("X-KubeLB-Key", ""),
            ("Origin", "http://evil.example.com"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "x-kubelb-key")
        );

        response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        response.Headers.Should().NotContain(h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Trait("Threat", "dashboard-other-sites")]
    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Post_of_a_form_is_rejected(string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("api/probe", UriKind.Relative));
        request.Headers.Add("X-KubeLB-Key", _server.Key);
        request.Content = new StringContent("{}", Encoding.UTF8, type);
        using var response = await _http.SendAsync(request);

        response.StatusCode.Should().Be(HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"selection":{"kind":"HTTPRoute","namespace":"a"},"address":"a"}""")]
    [InlineData("""{"selection":{"kind":"Secret","namespace":"a","name":"b"},"address":"a"}""")]
    [InlineData("""{"selection":{"kind":"HTTPRoute","namespace":"a","name":"b"},"address":"a","headers":[null]}""")]
    [InlineData("""{"selection":{"kind":"HTTPRoute","namespace":"a","name":"b"},"address":"a","headers":[{"name":"a"}]}""")]
    public async Task Invalid_probe_is_rejected(string json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("api/probe", UriKind.Relative));
        request.Headers.Add("X-KubeLB-Key", _server.Key);
        request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);

        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Trait("Threat", "dashboard-markup")]
    [Fact]
    public async Task Page_runs_only_its_own_script()
    {
        using var response = await _http.GetAsync(new Uri("", UriKind.Relative));

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        policy.Should().Contain("default-src 'none'").And.Contain("script-src 'self'").And.Contain("frame-ancestors 'none'");
        policy.Should().NotContain("unsafe");
        response.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
        response.Headers.GetValues("Cross-Origin-Resource-Policy").Should().Equal("same-origin");
        (await response.Content.ReadAsStringAsync()).Should().NotContain(_server.Key, "any user of the machine can read the page");
    }

    [Trait("Threat", "dashboard-access")]
    [Fact]
    public async Task Code_gives_the_key_once()
    {
        var code = _server.CreateOpenUrl().Fragment["#code=".Length..];

        (await RedeemAsync("wrong")).Should().BeNull();
        (await RedeemAsync(code)).Should().Be(_server.Key);
        (await RedeemAsync(code)).Should().BeNull();
    }

    [Trait("Threat", "dashboard-access")]
    [Fact]
    public void Code_expires()
    {
        var time = new FakeTimeProvider();
        var guard = new RequestGuard("key", time);
        var code = guard.NewCode();
        time.Advance(TimeSpan.FromSeconds(61));

        guard.Redeem(code).Should().BeNull();
    }

    private async Task<string?> RedeemAsync(string code)
    {
        using var content = new StringContent(JsonSerializer.Serialize(new { code }), Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(new Uri("api/session", UriKind.Relative), content);
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return body.RootElement.TryGetProperty("key", out var key) ? key.GetString() : null;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Add("X-KubeLB-Key", _server.Key);
        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (method == HttpMethod.Post)
        {
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        }

        return await _http.SendAsync(request);
    }
}
