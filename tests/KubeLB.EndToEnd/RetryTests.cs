using System.Net;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Retries configured by annotations.</summary>
public sealed class RetryTests : IAsyncLifetime
{
    private const string Namespace = "tenant-t1";
    private const string Generated = "default-api-route";

    private SystemFixture _fixture = null!;
    private HttpClient _http = null!;

    public ValueTask InitializeAsync() => new(StartAsync(ProxyKind.StandIn));

    private async Task StartAsync(ProxyKind proxies)
    {
        _fixture = await SystemFixture.StartAsync(proxies: proxies);
        _http = new HttpClient(_fixture.Sandbox.CreateGatewayHandler()) { Timeout = TimeSpan.FromSeconds(20) };
        await _fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _fixture.DisposeAsync();
    }

    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task Failing_request_succeeds_with_retry_annotations_and_fails_without(ProxyKind proxies)
    {
        if (proxies != ProxyKind.StandIn)
        {
            await DisposeAsync();
            await StartAsync(proxies);
        }

        (await SendAsync(failing: 2)).Should().Be(HttpStatusCode.ServiceUnavailable, "no retries are configured yet");

        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":"5xx, reset, connect-failure","gateway.envoyproxy.io/num-retries":"3"}""");

        var reported = await ConditionAsync(ConditionStatus.True);
        reported.Message.Should().Be("Applied: up to 3 retries on 5xx, reset, connect-failure.");
        (await Eventually.GetAsync("a request succeeds at its third attempt", () => SendAsync(failing: 2), s => s == HttpStatusCode.OK))
            .Should()
            .Be(HttpStatusCode.OK);
        (await SendAsync(failing: 4)).Should().Be(HttpStatusCode.ServiceUnavailable, "four attempts are made");
        (await SendAsync(failing: 3, status: "reset")).Should().Be(HttpStatusCode.OK);

        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":null,"gateway.envoyproxy.io/num-retries":null}""");

        await _fixture.Management.WaitGoneAsync<BackendTrafficPolicy>(Namespace, Generated);
        await _fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => Condition(r) is null, "has no retry condition");
        await Eventually.GetAsync("requests are not tried again", () => SendAsync(failing: 2), s => s == HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    [Trait("Threat", "retries")]
    public async Task Invalid_retry_annotation_is_reported_and_the_route_is_still_served()
    {
        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":"5xx"}""");
        await ConditionAsync(ConditionStatus.True);

        await AnnotateAsync("""{"gateway.envoyproxy.io/num-retries":"many"}""");

        var reported = await ConditionAsync(ConditionStatus.False);
        reported.Reason.Should().Be("InvalidAnnotation");
        reported
            .Message.Should()
            .Be("Retry policy not applied: gateway.envoyproxy.io/num-retries: invalid value \"many\"; " + "must be a whole number, 0-10.");
        reported.ObservedGeneration.Should().Be((await RouteAsync()).Metadata.Generation);
        await _fixture.Management.WaitGoneAsync<BackendTrafficPolicy>(Namespace, Generated);
        Statuses.IsAccepted(await RouteAsync()).Should().BeTrue();
        await _fixture.ExpectBackendAsync("api.example.com");
        await Eventually.GetAsync(
            "an Event in the tenant's cluster",
            () => _fixture.Tenant.ListAsync<Corev1Event>("default"),
            events =>
                events.Any(e =>
                    e.Type == "Warning"
                    && e.Reason == "InvalidAnnotation"
                    && e.InvolvedObject.Name == "api-route"
                    && e.Message == reported.Message
                )
        );

        await AnnotateAsync("""{"gateway.envoyproxy.io/num-retries":"1"}""");

        (await ConditionAsync(ConditionStatus.True)).Message.Should().Be("Applied: up to 1 retries on 5xx.");
    }

    [Fact]
    public async Task Retry_policy_is_owned_by_its_Route_reverted_and_removed_with_it()
    {
        await AnnotateAsync(
            """
            {"gateway.envoyproxy.io/retry-on":"503","gateway.envoyproxy.io/retry-per-try-timeout":"2s",
             "gateway.envoyproxy.io/retry-back-off-base-interval":"10ms"}
            """
        );
        await ConditionAsync(ConditionStatus.True);
        var policy = (await _fixture.Management.GetAsync<BackendTrafficPolicy>(Namespace, Generated))!;
        var route = (await _fixture.Management.ListAsync<Route>(Namespace)).Single(r =>
            r.Name == policy.Metadata.OwnerReferences.Single().Name
        );
        route.Kubernetes().Resource!["metadata"]!["name"]!.GetValue<string>().Should().Be("api-route");
        policy
            .Spec!.TargetRefs.Should()
            .ContainSingle()
            .Which.Should()
            .BeEquivalentTo(
                new PolicyTargetReference
                {
                    Group = ApiGroups.GatewayApi,
                    Kind = HttpRoute.KindName,
                    Name = Generated,
                }
            );

        await _fixture.Management.PatchAsync<BackendTrafficPolicy>(
            Namespace,
            Generated,
            """{"spec":{"retry":{"numRetries":50,"retryOn":{"triggers":["5xx"]}},"circuitBreaker":{"maxConnections":1}}}"""
        );
        await _fixture.Management.WaitAsync<BackendTrafficPolicy>(
            Namespace,
            Generated,
            p => p.Spec!.Retry!.RetryOn!.Triggers!.SequenceEqual([RetryTriggers.RetriableStatusCodes]) && p.Spec.Unknown is null,
            "is reverted after an edit"
        );
        await _fixture.Management.DeleteAsync<BackendTrafficPolicy>(Namespace, Generated);
        await _fixture.Management.WaitAsync<BackendTrafficPolicy>(
            Namespace,
            Generated,
            p => p.Metadata.Uid != policy.Metadata.Uid,
            "is recreated after its deletion"
        );

        await _fixture.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await _fixture.Management.WaitGoneAsync<BackendTrafficPolicy>(Namespace, Generated);
        await _fixture.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
    }

    [Fact]
    public async Task Retry_policy_status_of_Envoy_Gateway_is_reported_to_the_tenant()
    {
        // An older policy for the same route, as an operator might create; its name sorts first if the timestamps are equal.
        const string Older = "an-older-one";
        await _fixture.Management.CreateAsync(
            new BackendTrafficPolicy
            {
                Metadata = new V1ObjectMeta { Name = Older, NamespaceProperty = Namespace },
                Spec = new BackendTrafficPolicySpec
                {
                    TargetRefs =
                    [
                        new PolicyTargetReference
                        {
                            Group = ApiGroups.GatewayApi,
                            Kind = HttpRoute.KindName,
                            Name = Generated,
                        },
                    ],
                },
            }
        );
        await _fixture.Management.WaitAsync<BackendTrafficPolicy>(
            Namespace,
            Older,
            p => p.Status?.Ancestors is { Count: > 0 },
            "is accepted"
        );

        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":"5xx"}""");

        var reported = await ConditionAsync(ConditionStatus.False);
        reported.Reason.Should().Be("Conflicted");
        reported.Message.Should().Contain("another BackendTrafficPolicy has already attached to it");
        await _fixture.Management.DeleteAsync<BackendTrafficPolicy>(Namespace, Older);
        await ConditionAsync(ConditionStatus.True);
    }

    [Fact]
    public async Task Missing_BackendTrafficPolicy_CRD_is_reported_and_the_route_is_served()
    {
        const string Definition = "backendtrafficpolicies.gateway.envoyproxy.io";
        var definition = (await _fixture.Management.GetAsync<V1CustomResourceDefinition>("", Definition))!;
        await _fixture.Management.DeleteAsync<V1CustomResourceDefinition>("", Definition);
        await _fixture.Management.WaitGoneAsync<V1CustomResourceDefinition>("", Definition);

        await AnnotateUntilAsync(ConditionStatus.False);

        var reported = await ConditionAsync(ConditionStatus.False);
        reported.Message.Should().Contain("BackendTrafficPolicy").And.Contain("Ask its administrator");
        await _fixture.ExpectBackendAsync("api.example.com");

        await _fixture.Management.CreateAsync(
            new V1CustomResourceDefinition
            {
                Metadata = new V1ObjectMeta { Name = Definition },
                Spec = definition.Spec,
            }
        );
        await AnnotateUntilAsync(ConditionStatus.True);
    }

    [Fact]
    public async Task Number_of_retries_above_the_maximum_is_rejected_until_the_settings_permit_it()
    {
        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":"5xx","gateway.envoyproxy.io/num-retries":"12"}""");

        var reported = await ConditionAsync(ConditionStatus.False);
        reported.Reason.Should().Be("InvalidAnnotation");
        reported.Message.Should().Contain("num-retries: 12 exceeds the maximum of 10").And.Contain("gatewayAPI.maxRetries");
        (await _fixture.Management.GetAsync<BackendTrafficPolicy>(Namespace, Generated)).Should().BeNull();

        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"gatewayAPI":{"maxRetries":12}}}""");

        (await ConditionAsync(ConditionStatus.True)).Message.Should().Be("Applied: up to 12 retries on 5xx.");
    }

    // Optional kinds are discovered every few seconds.
    private Task<Condition?> AnnotateUntilAsync(string status)
    {
        var number = 0;
        return Eventually.GetAsync(
            $"the retry condition of the route is {status}",
            async () =>
            {
                await AnnotateAsync(
                    $$"""{"gateway.envoyproxy.io/retry-on":"5xx","gateway.envoyproxy.io/num-retries":"{{++number % 10}}"}"""
                );
                return Condition(await RouteAsync());
            },
            condition => condition?.Status == status,
            condition => condition?.Message ?? "nothing"
        );
    }

    private static Condition? Condition(HttpRoute route) =>
        route.Status?.Parents.SelectMany(p => p.Conditions).FirstOrDefault(c => c.Type == GatewayConditions.RetryPolicyApplied);

    private async Task<HttpRoute> RouteAsync() => (await _fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!;

    private async Task<Condition> ConditionAsync(string status) =>
        Condition(
            await _fixture.Tenant.WaitAsync<HttpRoute>(
                "default",
                "api-route",
                r => Condition(r)?.Status == status,
                $"has the retry condition {status}"
            )
        )!;

    private Task<HttpRoute> AnnotateAsync(string annotations) =>
        _fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", $$$"""{"metadata":{"annotations":{{{annotations}}}}}""");

    private async Task<HttpStatusCode> SendAsync(int failing, string status = "503")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{await _fixture.AddressAsync()}/");
        request.Headers.Host = "api.example.com";
        request.Headers.Add("x-echo-status", status);
        request.Headers.Add("x-echo-failing-attempts", $"{failing}");
        request.Content = new StringContent("a body that is sent again");
        using var response = await _http.SendAsync(request);
        return response.StatusCode;
    }
}
