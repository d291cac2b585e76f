using System.Net;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Forwarding;

/// <summary>Retries in the data plane of the stand-in, including the request body.</summary>
public sealed class RetryForwardingTests : IAsyncLifetime
{
    private readonly HttpClient _client = new();
    private GatewayFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await GatewayFixture.StartAsync();
        await _fixture.AddPodAsync("web");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _fixture.DisposeAsync();
    }

    [Theory]
    [InlineData("503", 2, 2, HttpStatusCode.OK)]
    [InlineData("503", 3, 2, HttpStatusCode.ServiceUnavailable)]
    [InlineData("503", 1, 0, HttpStatusCode.ServiceUnavailable)]
    [InlineData("404", 1, 2, HttpStatusCode.NotFound)]
    [InlineData("reset", 2, 2, HttpStatusCode.OK)]
    [InlineData("reset", 9, 2, HttpStatusCode.ServiceUnavailable)]
    public async Task Failing_request_is_retried_up_to_the_maximum(string fault, int failing, int retries, HttpStatusCode expected)
    {
        await ServeAsync(
            new RetryRule
            {
                NumRetries = retries,
                Triggers = [RetryTriggers.Any5xx],
                BaseInterval = TimeSpan.FromMilliseconds(1),
            }
        );

        var (status, text) = await SendAsync(fault, failing);

        status.Should().Be(expected);
        if (expected == HttpStatusCode.OK)
        {
            text.Should().Contain("a body that is sent again").And.Contain("x-envoy-attempt-count");
        }
    }

    [Fact]
    public async Task Attempt_after_timeout_is_retried()
    {
        await ServeAsync(
            new RetryRule
            {
                Triggers = [RetryTriggers.Reset],
                PerTryTimeout = TimeSpan.FromMilliseconds(500),
                BaseInterval = TimeSpan.FromMilliseconds(1),
            }
        );

        (await SendAsync("200", failing: 1, delay: 30_000)).Status.Should().Be(HttpStatusCode.OK);
        (await SendAsync("200", failing: 9, delay: 30_000)).Status.Should().Be(HttpStatusCode.GatewayTimeout);
    }

    [Fact]
    public async Task Request_without_retries_gets_the_first_response_and_no_attempt_count()
    {
        await ServeAsync(null);

        (await SendAsync("503", failing: 1)).Status.Should().Be(HttpStatusCode.ServiceUnavailable);
        (await SendAsync("0", failing: 1)).Text.Should().NotContain("x-envoy-attempt-count");
    }

    private Task ServeAsync(RetryRule? retry) =>
        _fixture.ServeAsync(
            "[{name: http, protocol: HTTP, port: 80}]",
            """
            metadata: {name: r, namespace: default}
            spec:
              parentRefs: [{name: gw}]
              rules: [{backendRefs: [{name: web, port: 80}]}]
            """,
            retry
        );

    private async Task<(HttpStatusCode Status, string Text)> SendAsync(string fault, int failing, int delay = 0)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{_fixture.At(80)}/");
        request.Headers.Add("x-echo-status", fault);
        request.Headers.Add("x-echo-failing-attempts", $"{failing}");
        request.Headers.Add("x-echo-delay-ms", $"{delay}");
        request.Content = new StringContent("a body that is sent again");
        using var response = await _client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
