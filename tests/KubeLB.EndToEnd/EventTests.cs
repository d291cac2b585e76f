using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>What a tenant's user reads under Events.</summary>
public sealed class EventTests
{
    [Fact]
    public async Task Kubectl_describe_says_what_happened_and_what_to_do()
    {
        await using var bed = await SystemFixture.StartAsync();
        using var kubectl = new KubectlBinary(bed.Sandbox.Tenants[0].Cluster.KubeconfigYaml);
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.DeleteAsync<V1Service>("default", "api-backend");
        await EventAsync(bed, "api-route", "BackendNotFound");

        var route = (await kubectl.OkAsync("describe httproute api-route")).Text;
        route.Should().MatchRegex(@"Normal +Accepted +\S+( \(x\d+ over \S+\))? +kubelb-ccm +Attached to Gateway my-gateway\.");
        route
            .Should()
            .MatchRegex(
                @"Warning +BackendNotFound +\S+( \(x\d+ over \S+\))? +kubelb-ccm +.*default/api-backend.* Create the Service or correct the backendRef\."
            );
        var gateway = (await kubectl.OkAsync("describe gateway my-gateway")).Text;
        gateway
            .Should()
            .MatchRegex(
                $@"Normal +Programmed +\S+( \(x\d+ over \S+\))? +kubelb-ccm +Reachable at {System.Text.RegularExpressions.Regex.Escape(await bed.AddressAsync())}\."
            );
    }

    [Fact]
    public async Task A_missing_backend_is_told_once_however_often_it_is_looked_at()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.ApplyAsync(Documents.Route);
        await EventAsync(bed, "api-route", "BackendNotFound");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        for (var i = 0; i < 3; i++)
        {
            await bed.Tenant.PatchAsync<HttpRoute>(
                "default",
                "api-route",
                $$$"""{"metadata":{"labels":{"look":"{{{i}}}"}},"spec":{"hostnames":["h{{{i}}}.example.com"]}}"""
            );
            await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted again");
        }

        await bed.RestartCcmAsync();
        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["last.example.com"]}}""");
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted by the new process");
        await bed.SettleAsync();

        var events = await EventsAsync(bed, "api-route");
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
    public async Task A_refusal_its_mending_and_a_release_are_told()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Tenant.PatchAsync<HttpRoute>(
            "default",
            "api-route",
            """{"spec":{"parentRefs":[{"name":"my-gateway","sectionName":"nowhere"}]}}"""
        );
        (await EventAsync(bed, "api-route", "NoMatchingParent")).Type.Should().Be("Warning");
        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"parentRefs":[{"name":"somebody-elses"}]}}""");
        (await EventAsync(bed, "api-route", "Released")).Type.Should().Be("Normal");
        await bed.Tenant.PatchAsync<Gateway>("default", "my-gateway", """{"spec":{"gatewayClassName":"somebody-elses"}}""");
        (await EventAsync(bed, "my-gateway", "Released")).Type.Should().Be("Normal");
    }

    private static async Task<Corev1Event> EventAsync(SystemFixture bed, string name, string reason)
    {
        var events = await Eventually.GetAsync(
            $"an Event {reason} of {name}",
            () => EventsAsync(bed, name),
            found => found.Any(e => e.Reason == reason),
            found => string.Join("; ", found.Select(e => $"{e.Reason} {e.Message}"))
        );
        return events.First(e => e.Reason == reason);
    }

    private static async Task<IReadOnlyList<Corev1Event>> EventsAsync(SystemFixture bed, string name) =>
        [
            .. (await bed.Tenant.ListAsync<Corev1Event>("default")).Where(e =>
                e.InvolvedObject.Name == name && e.Source?.Component == "kubelb-ccm"
            ),
        ];
}
