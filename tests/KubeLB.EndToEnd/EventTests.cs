using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Events in the tenant's cluster, as kubectl shows them.</summary>
public sealed class EventTests
{
    [Fact]
    public async Task Kubectl_describe_shows_Events_with_cause_and_remedy()
    {
        await using var fixture = await SystemFixture.StartAsync();
        using var kubectl = new KubectlBinary(fixture.Sandbox.Tenants[0].Cluster.KubeconfigYaml);
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.DeleteAsync<V1Service>("default", "api-backend");
        await EventAsync(fixture, "api-route", "BackendNotFound");

        var route = (await kubectl.OkAsync("describe httproute api-route")).Text;
        route.Should().MatchRegex(@"Normal +Accepted +\S+( \(x\d+ over \S+\))? +kubelb-ccm +Attached to Gateway my-gateway\.");
        route
            .Should()
            .MatchRegex(
                @"Warning +BackendNotFound +\S+( \(x\d+ over \S+\))? +kubelb-ccm +"
                    + @".*default/api-backend.* Create the Service, or correct name and namespace of the backendRef\."
            );
        var gateway = (await kubectl.OkAsync("describe gateway my-gateway")).Text;
        gateway
            .Should()
            .MatchRegex(
                $@"Normal +Programmed +\S+( \(x\d+ over \S+\))? +kubelb-ccm +"
                    + $@"Reachable at {System.Text.RegularExpressions.Regex.Escape(await fixture.AddressAsync())}\."
            );
    }

    [Fact]
    public async Task Missing_backend_is_reported_by_one_Event_across_reconciles()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.ApplyAsync(Documents.Route);
        await EventAsync(fixture, "api-route", "BackendNotFound");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        for (var i = 0; i < 3; i++)
        {
            await fixture.Tenant.PatchAsync<HttpRoute>(
                "default",
                "api-route",
                $$$"""{"metadata":{"labels":{"look":"{{{i}}}"}},"spec":{"hostnames":["h{{{i}}}.example.com"]}}"""
            );
            await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted again");
        }

        await fixture.RestartCcmAsync();
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["last.example.com"]}}""");
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted by the new process");
        await fixture.SettleAsync();

        var events = await EventsAsync(fixture, "api-route");
        events
            .Where(e => e.Type == "Warning")
            .Should()
            .ContainSingle()
            .Which.Should()
            .Match<Corev1Event>(e => e.Reason == "BackendNotFound" && e.Count == 1);
        events
            .Where(e => e.Type == "Normal")
            .Should()
            .ContainSingle()
            .Which.Should()
            .Match<Corev1Event>(e => e.Reason == "Accepted" && e.Count == 1);
    }

    [Fact]
    public async Task Rejected_and_released_objects_are_reported_by_Events()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"parentRefs":[{"name":"my-gateway","sectionName":"nowhere"}]}}"""
        );
        (await EventAsync(fixture, "api-route", "NoMatchingParent")).Type.Should().Be("Warning");
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"parentRefs":[{"name":"not-managed"}]}}""");
        (await EventAsync(fixture, "api-route", "Released")).Type.Should().Be("Normal");
        await fixture.Tenant.PatchAsync<Gateway>("default", "my-gateway", """{"spec":{"gatewayClassName":"not-managed"}}""");
        (await EventAsync(fixture, "my-gateway", "Released")).Type.Should().Be("Normal");
    }

    private static async Task<Corev1Event> EventAsync(SystemFixture fixture, string name, string reason)
    {
        var events = await Eventually.GetAsync(
            $"an Event {reason} of {name}",
            () => EventsAsync(fixture, name),
            found => found.Any(e => e.Reason == reason),
            found => string.Join("; ", found.Select(e => $"{e.Reason} {e.Message}"))
        );
        return events.First(e => e.Reason == reason);
    }

    private static async Task<IReadOnlyList<Corev1Event>> EventsAsync(SystemFixture fixture, string name) =>
        [
            .. (await fixture.Tenant.ListAsync<Corev1Event>("default")).Where(e =>
                e.InvolvedObject.Name == name && e.Source?.Component == "kubelb-ccm"
            ),
        ];
}
