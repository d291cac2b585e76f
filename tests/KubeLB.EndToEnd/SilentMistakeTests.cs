using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Mistakes for which Gateway API has no condition are Events on the tenant's object.</summary>
public sealed class SilentMistakeTests : IAsyncLifetime
{
    private const string Overlap = "Overlapping match conditions with route(s): HTTPRoute ";
    private const string Remedy =
        ". The oldest route gets the requests, then the first by name. Use another hostname or match, or delete the other route.";

    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Misspelt_Gateway_class_and_annotation_are_reported_on_the_object()
    {
        await _fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"metadata":{"annotations":{"gateway.envoyproxy.io/retryon":"5xx"}}}"""
        );
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "other").Replace("name: my-gateway", "name: my-gatewy"));
        await _fixture.Tenant.ApplyAsync(
            Documents.Gateway.Replace("name: my-gateway", "name: second").Replace("gatewayClassName: kubelb", "gatewayClassName: kubelbb")
        );

        await EventAsync("other", "ParentNotFound", "Gateway default/my-gatewy does not exist. Did you mean my-gateway?");
        await EventAsync(
            "second",
            "GatewayClassUnknown",
            "GatewayClass kubelbb does not exist, so no controller serves this Gateway. Did you mean kubelb?"
        );
        await EventAsync(
            "api-route",
            "UnsupportedField",
            "Annotation gateway.envoyproxy.io/retryon has no effect. Did you mean gateway.envoyproxy.io/retry-on?"
        );

        await _fixture.Tenant.PatchAsync<HttpRoute>("default", "other", """{"spec":{"parentRefs":[{"name":"my-gateway"}]}}""");
        await EventAsync("other", "Accepted", "Attached to Gateway my-gateway.");
    }

    [Fact]
    public async Task Routes_with_equal_matches_report_each_other_until_one_is_deleted()
    {
        await _fixture.Tenant.ApplyAsync(Documents.Route.Replace("api-route", "younger"));

        await ExpectOverlapAsync("younger", Overlap + "default/api-route" + Remedy);
        await ExpectOverlapAsync("api-route", Overlap + "default/younger" + Remedy);
        await EventAsync("younger", "RouteRulesOverlap", Overlap + "default/api-route" + Remedy);

        await _fixture.Tenant.DeleteAsync<HttpRoute>("default", "younger");

        await ExpectOverlapAsync("api-route", null);
    }

    private Task<HttpRoute> ExpectOverlapAsync(string name, string? message) =>
        _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            name,
            r => Statuses.IsAccepted(r) && Statuses.Condition(r, "RouteRulesOverlap")?.Message == message,
            message ?? "reports no overlapping route"
        );

    private Task EventAsync(string name, string reason, string message) =>
        Eventually.HoldsAsync(
            async () =>
                (await _fixture.Tenant.ListAsync<Corev1Event>("default")).Any(e =>
                    e.InvolvedObject.Name == name && e.Reason == reason && e.Message == message
                ),
            $"{name} has an Event {reason}: {message}"
        );
}
