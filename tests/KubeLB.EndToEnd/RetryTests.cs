using System.Net;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Retries asked for by annotations.</summary>
public sealed class RetryTests : IAsyncLifetime
{
    private const string Namespace = "tenant-t1";
    private const string Generated = "default-api-route";

    private SystemFixture _bed = null!;
    private HttpClient _http = null!;

    public ValueTask InitializeAsync() => new(StartAsync(ProxyKind.StandIn));

    private async Task StartAsync(ProxyKind proxies)
    {
        _bed = await SystemFixture.StartAsync(proxies: proxies);
        _http = new HttpClient(_bed.Sandbox.CreateGatewayHandler()) { Timeout = TimeSpan.FromSeconds(20) };
        await _bed.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _bed.DisposeAsync();
    }

    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task A_request_that_fails_twice_succeeds_with_three_retries_and_fails_without(ProxyKind proxies)
    {
        if (proxies != ProxyKind.StandIn)
        {
            await DisposeAsync();
            await StartAsync(proxies);
        }

        (await SendAsync(failing: 2)).Should().Be(HttpStatusCode.ServiceUnavailable, "nobody has asked for retries yet");

        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":"5xx, reset, connect-failure","gateway.envoyproxy.io/num-retries":"3"}""");

        var told = await ConditionAsync(ConditionStatus.True);
        told.Message.Should().Be("In force: up to 3 retries on 5xx, reset, connect-failure.");
        (await Eventually.GetAsync("a request succeeds at its third attempt", () => SendAsync(failing: 2), s => s == HttpStatusCode.OK))
            .Should()
            .Be(HttpStatusCode.OK);
        (await SendAsync(failing: 4)).Should().Be(HttpStatusCode.ServiceUnavailable, "four attempts are made");
        (await SendAsync(failing: 3, status: "reset")).Should().Be(HttpStatusCode.OK);

        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":null,"gateway.envoyproxy.io/num-retries":null}""");

        await _bed.Management.WaitGoneAsync<BackendTrafficPolicy>(Namespace, Generated);
        await _bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", r => Condition(r) is null, "speaks of retries no more");
        await Eventually.GetAsync("requests are not tried again", () => SendAsync(failing: 2), s => s == HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_wrong_value_is_told_in_the_tenant_and_the_route_works_on()
    {
        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":"5xx"}""");
        await ConditionAsync(ConditionStatus.True);

        await AnnotateAsync("""{"gateway.envoyproxy.io/num-retries":"many"}""");

        var told = await ConditionAsync(ConditionStatus.False);
        told.Reason.Should().Be("InvalidAnnotation");
        told.Message.Should()
            .Be(
                "Annotation gateway.envoyproxy.io/num-retries: \"many\" is not allowed; write a whole number from 0 to 2147483647. "
                    + "No retry policy is in force until this is corrected."
            );
        told.ObservedGeneration.Should().Be((await RouteAsync()).Metadata.Generation);
        await _bed.Management.WaitGoneAsync<BackendTrafficPolicy>(Namespace, Generated);
        Statuses.IsAccepted(await RouteAsync()).Should().BeTrue();
        await _bed.ExpectBackendAsync("api.example.com");
        await Eventually.GetAsync(
            "an Event in the tenant's cluster",
            () => _bed.Tenant.ListAsync<Corev1Event>("default"),
            events =>
                events.Any(e =>
                    e.Type == "Warning"
                    && e.Reason == "InvalidAnnotation"
                    && e.InvolvedObject.Name == "api-route"
                    && e.Message == told.Message
                )
        );

        await AnnotateAsync("""{"gateway.envoyproxy.io/num-retries":"1"}""");

        (await ConditionAsync(ConditionStatus.True)).Message.Should().Be("In force: up to 1 retries on 5xx.");
    }

    [Fact]
    public async Task The_policy_is_the_routes_own_is_repaired_and_goes_with_it()
    {
        await AnnotateAsync(
            """{"gateway.envoyproxy.io/retry-on":"503","gateway.envoyproxy.io/retry-per-try-timeout":"2s","gateway.envoyproxy.io/retry-back-off-base-interval":"10ms"}"""
        );
        await ConditionAsync(ConditionStatus.True);
        var policy = (await _bed.Management.GetAsync<BackendTrafficPolicy>(Namespace, Generated))!;
        var route = (await _bed.Management.ListAsync<Route>(Namespace)).Single(r =>
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

        await _bed.Management.PatchAsync<BackendTrafficPolicy>(
            Namespace,
            Generated,
            """{"spec":{"retry":{"numRetries":50,"retryOn":{"triggers":["5xx"]}},"circuitBreaker":{"maxConnections":1}}}"""
        );
        await _bed.Management.WaitAsync<BackendTrafficPolicy>(
            Namespace,
            Generated,
            p => p.Spec!.Retry!.RetryOn!.Triggers!.SequenceEqual([RetryTriggers.RetriableStatusCodes]) && p.Spec.Unknown is null,
            "is repaired after an edit"
        );
        await _bed.Management.DeleteAsync<BackendTrafficPolicy>(Namespace, Generated);
        await _bed.Management.WaitAsync<BackendTrafficPolicy>(
            Namespace,
            Generated,
            p => p.Metadata.Uid != policy.Metadata.Uid,
            "is made again after it was deleted"
        );

        await _bed.Tenant.DeleteAsync<HttpRoute>("default", "api-route");
        await _bed.Management.WaitGoneAsync<BackendTrafficPolicy>(Namespace, Generated);
        await _bed.Tenant.WaitGoneAsync<HttpRoute>("default", "api-route");
    }

    [Fact]
    public async Task What_envoy_gateway_says_of_the_policy_reaches_the_tenant()
    {
        // An older policy for the same route, as an operator might have made; its name comes first, should they be of one second.
        const string Older = "an-older-one";
        await _bed.Management.CreateAsync(
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
        await _bed.Management.WaitAsync<BackendTrafficPolicy>(Namespace, Older, p => p.Status?.Ancestors is { Count: > 0 }, "is accepted");

        await AnnotateAsync("""{"gateway.envoyproxy.io/retry-on":"5xx"}""");

        var told = await ConditionAsync(ConditionStatus.False);
        told.Reason.Should().Be("Conflicted");
        told.Message.Should().Contain("another BackendTrafficPolicy has already attached to it");
        await _bed.Management.DeleteAsync<BackendTrafficPolicy>(Namespace, Older);
        await ConditionAsync(ConditionStatus.True);
    }

    [Fact]
    public async Task Without_envoy_gateways_definition_the_tenant_is_told_and_the_route_works()
    {
        const string Definition = "backendtrafficpolicies.gateway.envoyproxy.io";
        var definition = (await _bed.Management.GetAsync<V1CustomResourceDefinition>("", Definition))!;
        await _bed.Management.DeleteAsync<V1CustomResourceDefinition>("", Definition);
        await _bed.Management.WaitGoneAsync<V1CustomResourceDefinition>("", Definition);

        await AnnotateUntilAsync(ConditionStatus.False);

        var told = await ConditionAsync(ConditionStatus.False);
        told.Message.Should().Contain(Definition).And.Contain("Ask its operator");
        await _bed.ExpectBackendAsync("api.example.com");

        await _bed.Management.CreateAsync(
            new V1CustomResourceDefinition
            {
                Metadata = new V1ObjectMeta { Name = Definition },
                Spec = definition.Spec,
            }
        );
        await AnnotateUntilAsync(ConditionStatus.True);
    }

    // Kinds that may be absent are looked for every few seconds.
    private Task<Condition?> AnnotateUntilAsync(string status)
    {
        var number = 0;
        return Eventually.GetAsync(
            $"the route says {status} of the retries",
            async () =>
            {
                await AnnotateAsync($$"""{"gateway.envoyproxy.io/retry-on":"5xx","gateway.envoyproxy.io/num-retries":"{{++number}}"}""");
                return Condition(await RouteAsync());
            },
            condition => condition?.Status == status,
            condition => condition?.Message ?? "nothing"
        );
    }

    private static Condition? Condition(HttpRoute route) =>
        route.Status?.Parents.SelectMany(p => p.Conditions).FirstOrDefault(c => c.Type == GatewayConditions.RetryPolicyApplied);

    private async Task<HttpRoute> RouteAsync() => (await _bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!;

    private async Task<Condition> ConditionAsync(string status) =>
        Condition(
            await _bed.Tenant.WaitAsync<HttpRoute>(
                "default",
                "api-route",
                r => Condition(r)?.Status == status,
                $"says {status} of the retries"
            )
        )!;

    private Task<HttpRoute> AnnotateAsync(string annotations) =>
        _bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", $$$"""{"metadata":{"annotations":{{{annotations}}}}}""");

    private async Task<HttpStatusCode> SendAsync(int failing, string status = "503")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{await _bed.AddressAsync()}/");
        request.Headers.Host = "api.example.com";
        request.Headers.Add("x-echo-status", status);
        request.Headers.Add("x-echo-failing-attempts", $"{failing}");
        request.Content = new StringContent("a body that is sent again");
        using var response = await _http.SendAsync(request);
        return response.StatusCode;
    }
}
