using System.Net;
using k8s;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Tests.Support;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Forwarding;

/// <summary>CORS, retries and session persistence of an HTTPRoute's rule, and mirrors of a part of the requests.</summary>
public sealed class RuleFeatureTests : IAsyncLifetime
{
    private const string Http80 = "[{name: http, port: 80, protocol: HTTP}]";
    private const string Web = "backendRefs: [{name: web, port: 80}]";
    private const string Cors =
        "filters: [{type: CORS, cors: {allowOrigins: ['https://*.example.com'], allowMethods: [GET, PUT], allowHeaders: ['*'], "
        + "exposeHeaders: [x-a, x-b], allowCredentials: true, maxAge: 60}}]\n      "
        + Web;

    private GatewayFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await GatewayFixture.StartAsync();
        await _fixture.AddPodAsync("web");
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Theory]
    [InlineData("https://app.example.com", true)]
    [InlineData("https://a.b.example.com", true)]
    [InlineData("https://appxexample.com", false)]
    [InlineData("http://app.example.com", false)]
    public async Task Preflight_is_answered_for_allowed_origins(string origin, bool allowed)
    {
        await _fixture.ServeAsync(Http80, Route(Cors));

        using var response = await SendAsync(r =>
        {
            r.Method = HttpMethod.Options;
            r.Headers.Add("Origin", origin);
            r.Headers.Add("Access-Control-Request-Method", "PUT");
            r.Headers.Add("Access-Control-Request-Headers", "x-custom");
        });

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).Should().BeEmpty("no backend is asked");
        Values(response, "Access-Control-Allow-Origin").Should().Be(allowed ? origin : "");
        Values(response, "Access-Control-Allow-Methods").Should().Be(allowed ? "GET, PUT" : "");
        Values(response, "Access-Control-Allow-Headers").Should().Be(allowed ? "x-custom" : "");
        Values(response, "Access-Control-Allow-Credentials").Should().Be(allowed ? "true" : "");
        Values(response, "Access-Control-Max-Age").Should().Be(allowed ? "60" : "");
    }

    [Theory]
    [InlineData("https://app.example.com", "x-a, x-b")]
    [InlineData("https://other.example", "")]
    [InlineData(null, "")]
    public async Task Request_with_allowed_origin_gets_CORS_headers(string? origin, string exposed)
    {
        await _fixture.ServeAsync(Http80, Route(Cors));

        using var response = await SendAsync(r =>
        {
            if (origin is not null)
            {
                r.Headers.Add("Origin", origin);
            }
        });

        EchoResponder.Parse(await response.Content.ReadAsStringAsync()).Path.Should().Be("/");
        Values(response, "Access-Control-Expose-Headers").Should().Be(exposed);
        Values(response, "Access-Control-Allow-Origin").Should().Be(exposed.Length > 0 ? origin : "");
    }

    [Theory]
    [InlineData("{attempts: 2, codes: [500], backoff: 1ms}", "500", 2, HttpStatusCode.OK)]
    [InlineData("{attempts: 1, codes: [500], backoff: 1ms}", "500", 2, HttpStatusCode.InternalServerError)]
    [InlineData("{codes: [500], backoff: 1ms}", "503", 1, HttpStatusCode.ServiceUnavailable)]
    [InlineData("{backoff: 1ms}", "503", 2, HttpStatusCode.OK)]
    [InlineData("{attempts: 0}", "503", 1, HttpStatusCode.ServiceUnavailable)]
    public async Task Retries_of_a_rule_are_applied(string retry, string fault, int failing, HttpStatusCode expected)
    {
        await _fixture.ServeAsync(Http80, Route($"retry: {retry}\n      {Web}"), new RetryRule { NumRetries = 0 });

        using var response = await SendAsync(r =>
        {
            r.Headers.Add("x-echo-status", fault);
            r.Headers.Add("x-echo-failing-attempts", $"{failing}");
        });

        response.StatusCode.Should().Be(expected);
    }

    [Theory]
    [InlineData("{sessionName: s}", "s=\"VALUE\"; Path=/; HttpOnly")]
    [InlineData("{}", "httproute-default-r-rule-0=\"VALUE\"; Path=/; HttpOnly")]
    [InlineData(
        "{sessionName: s, absoluteTimeout: 1h, cookieConfig: {lifetimeType: Permanent}}",
        "s=\"VALUE\"; Max-Age=3600; Path=/; HttpOnly"
    )]
    public async Task Cookie_keeps_a_client_at_its_endpoint(string session, string cookie)
    {
        var (first, second) = await TwoEndPointsAsync(session);
        using var response = await SendAsync(_ => { });
        var set = response.Headers.GetValues("Set-Cookie").Single();
        var value = set.Split('"')[1];
        set.Replace(value, "VALUE", StringComparison.Ordinal).Should().Be(cookie);
        (await PodAsync(response)).Should().Be("one-pod");

        // The order of the endpoints changes; the client remains at its one.
        _fixture.AddEndPoints("both", second, first);
        using var again = await SendAsync(r => r.Headers.Add("Cookie", $"other=1; {set.Split('=')[0]}=\"{value}\""));
        (await PodAsync(again)).Should().Be("one-pod");
        again.Headers.Contains("Set-Cookie").Should().BeFalse();

        _fixture.AddEndPoints("both", second);
        using var moved = await SendAsync(r => r.Headers.Add("Cookie", $"{set.Split('=')[0]}={value}"));
        (await PodAsync(moved)).Should().Be("two-pod");
        moved.Headers.GetValues("Set-Cookie").Should().ContainSingle();
    }

    [Fact]
    public async Task Header_keeps_a_client_at_its_endpoint()
    {
        var (first, second) = await TwoEndPointsAsync("{type: Header, sessionName: x-session}");
        using var response = await SendAsync(_ => { });
        var value = response.Headers.GetValues("x-session").Single();

        _fixture.AddEndPoints("both", second, first);
        using var again = await SendAsync(r => r.Headers.Add("x-session", value));

        (await PodAsync(again)).Should().Be("one-pod");
    }

    [Theory]
    [InlineData("fraction: {numerator: 0}", 0)]
    [InlineData("fraction: {numerator: 1, denominator: 8}", 12.5)]
    [InlineData("percent: 7", 7)]
    [InlineData("backendRef: {name: copy, port: 80}", 100)]
    public void Mirror_gets_its_part_of_the_requests(string part, double percent)
    {
        var rule = Evaluate(
            part.StartsWith("backendRef", StringComparison.Ordinal)
                ? $"filters: [{{type: RequestMirror, requestMirror: {{{part}}}}}]\n      {Web}"
                : $"filters: [{{type: RequestMirror, requestMirror: {{backendRef: {{name: copy, port: 80}}, {part}}}}}]\n      {Web}"
        );

        rule.Action.Mirrors.Single().Percent.Should().Be(percent);
    }

    [Fact]
    public async Task Rule_with_an_invalid_mirror_gets_500()
    {
        await _fixture.ServeAsync(
            Http80,
            Route($"filters: [{{type: RequestMirror, requestMirror: {{backendRef: {{name: missing, port: 80}}}}}}]\n      {Web}")
        );

        using var response = await SendAsync(_ => { });

        response.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
    }

    private async Task<(IPEndPoint First, IPEndPoint Second)> TwoEndPointsAsync(string session)
    {
        var (first, second) = (await _fixture.AddPodAsync("one"), await _fixture.AddPodAsync("two"));
        _fixture.AddEndPoints("both", first, second);
        await _fixture.ServeAsync(Http80, Route($"sessionPersistence: {session}\n      backendRefs: [{{name: both, port: 80}}]"));
        return (first, second);
    }

    private Task<HttpResponseMessage> SendAsync(Action<HttpRequestMessage> configure) =>
        Http.SendAsync(_fixture.At(80), configure: configure);

    private static async Task<string> PodAsync(HttpResponseMessage response) =>
        EchoResponder.Parse(await response.Content.ReadAsStringAsync()).Pod;

    private static string Values(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values)
            ? string.Join(", ", values)
            : "";

    private static RuleEvaluation Evaluate(string rule) =>
        RuleEvaluator
            .Evaluate(
                KubernetesJson.Deserialize<HttpRoute>(ManifestYaml.Read(Route(rule))[0].ToJsonString()),
                HttpRoute.KindName,
                new EmptyView()
            )
            .Single();

    private static string Route(string rule) =>
        $$"""
            metadata: {name: r, namespace: default}
            spec:
              parentRefs: [{name: gw}]
              rules:
                - {{rule}}
            """;
}
