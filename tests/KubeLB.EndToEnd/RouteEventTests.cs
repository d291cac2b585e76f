using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Events of Routes and Tenants in the management cluster.</summary>
public sealed class RouteEventTests : IAsyncLifetime
{
    private const string Tenant = "tenant-t1";
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.StopCcmAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Programmed_route_causes_no_Event()
    {
        await _fixture.Management.CreateAsync(CcmRoutes.Http(Tenant, "fine"));
        await _fixture.Management.WaitAsync<Route>(Tenant, "fine", IsProgrammed, "is programmed");
        await _fixture.Management.PatchAsync<Route>(Tenant, "fine", CcmRoutes.Edit("edited.example.com", 2));
        await _fixture.Management.WaitAsync<Route>(
            Tenant,
            "fine",
            r => IsProgrammed(r) && r.Status!.Resources!.Route!.SourceGeneration == 2,
            "is programmed again"
        );
        await _fixture.SettleAsync();

        (await EventsAsync(Tenant)).Where(e => !IsTransientBackendNotFound(e)).Should().BeEmpty();
    }

    [Fact]
    public async Task Rejection_and_recovery_are_reported_by_one_Event_each()
    {
        using var kubectl = new KubectlBinary(_fixture.Sandbox.Management.KubeconfigYaml);
        var route = CcmRoutes.Http(Tenant, "bad");
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = null);
        await _fixture.Management.CreateAsync(route);
        await EventAsync("bad", "Rejected");
        await _fixture.Management.PatchAsync<Route>(Tenant, "bad", """{"metadata":{"labels":{"look":"again"}}}""");
        await _fixture.SettleAsync();
        await _fixture.RestartManagerAsync();
        var corrected = CcmRoutes.Http(Tenant, "bad").Kubernetes().Services!;
        await _fixture.Management.PatchAsync<Route>(
            Tenant,
            "bad",
            new System.Text.Json.Nodes.JsonObject
            {
                ["spec"] = Api.Serialization.ApiJson.ToJson(new { source = new { kubernetes = new { services = corrected } } }),
            }.ToJsonString()
        );
        await EventAsync("bad", "Applied");
        await _fixture.SettleAsync();

        (await EventsAsync(Tenant))
            .Where(e => !IsTransientBackendNotFound(e))
            .Select(e => $"{e.Type} {e.Reason} {e.Count}")
            .Should()
            .BeEquivalentTo("Warning Rejected 1", "Normal Applied 1");
        var text = (await kubectl.OkAsync($"describe route bad -n {Tenant}")).Text;
        text.Should()
            .MatchRegex(
                @"Warning +Rejected +\S+( \(x\d+ over \S+\))? +kubelb-manager +"
                    + @"Service default/bad: invalid port 80 with nodePort none; both must be 1-65535\."
            );
        text.Should()
            .MatchRegex(@"Normal +Applied +\S+( \(x\d+ over \S+\))? +kubelb-manager +Recovered: HTTPRoute default-bad is up to date\.");
    }

    [Fact]
    public async Task Name_conflict_is_reported_with_the_generated_name()
    {
        await _fixture.Management.CreateAsync(CcmRoutes.Http(Tenant, "b-c"));
        await _fixture.Management.WaitAsync<Route>(Tenant, "b-c", IsProgrammed, "is programmed");
        var rival = CcmRoutes.Http(Tenant, "rival");
        rival.Change(k =>
            k.Resource!["metadata"] = new System.Text.Json.Nodes.JsonObject
            {
                ["namespace"] = "default-b",
                ["name"] = "c",
                ["uid"] = "rival",
            }
        );
        await _fixture.Management.CreateAsync(rival);

        var reported = await EventAsync("rival", "NameTaken");

        var name = (
            await _fixture.Management.WaitAsync<Route>(
                Tenant,
                "rival",
                r => r.Status?.Resources?.Route?.GeneratedName is not null,
                "has a name"
            )
        )
            .Status!
            .Resources!
            .Route!
            .GeneratedName;
        name.Should().StartWith("default-b-c-");
        reported
            .Should()
            .Match<Corev1Event>(e =>
                e.Type == "Normal"
                && e.Message == $"Name default-b-c is already in use; HTTPRoute default-b/c of the tenant is generated as {name}."
            );
    }

    [Fact]
    public async Task Edited_or_deleted_generated_object_is_reverted_and_reported()
    {
        await _fixture.Management.CreateAsync(CcmRoutes.Http(Tenant, "edited"));
        await _fixture.Management.WaitAsync<Route>(Tenant, "edited", IsProgrammed, "is programmed");

        await _fixture.Management.PatchAsync<HttpRoute>(Tenant, "default-edited", """{"spec":{"hostnames":["mine.example.com"]}}""");
        (await EventAsync("edited", "Repaired"))
            .Message.Should()
            .Be("Reverted an external change to generated HTTPRoute default-edited. Edit the tenant's object instead.");
        await _fixture.Management.WaitAsync<HttpRoute>(
            Tenant,
            "default-edited",
            r => r.Spec!.Hostnames!.Contains("edited.example.com"),
            "is reverted"
        );

        await _fixture.Management.DeleteAsync<V1Service>(Tenant, "default-edited-edited");
        await EventAsync("edited", "Repaired", "Recreated generated Service default-edited-edited");
        await _fixture.Management.WaitAsync<V1Service>(Tenant, "default-edited-edited", _ => true, "is recreated");
    }

    [Fact]
    public async Task Tenant_setup_and_blocked_deletion_are_reported_by_Events()
    {
        var about = (await EventsAsync("default")).Should().ContainSingle(e => e.InvolvedObject.Kind == "Tenant").Subject;
        about.Should().Match<Corev1Event>(e => e.Type == "Normal" && e.Reason == "Reconciled" && e.InvolvedObject.Name == "t1");

        await _fixture.Management.PatchAsync<HttpRoute>(
            Tenant,
            "default-api-route",
            """{"metadata":{"finalizers":["example.com/mine"]}}"""
        );
        await _fixture.Management.DeleteAsync<Tenant>("", "t1");
        var reported = await Eventually.GetAsync(
            "an Event that names the finalizer",
            async () => (await EventsAsync("default")).FirstOrDefault(e => e.Type == "Warning"),
            found => found is not null
        );
        reported!.Message.Should().Contain("default-api-route is blocked by finalizer example.com/mine");
        await _fixture.Management.PatchAsync<HttpRoute>(Tenant, "default-api-route", """{"metadata":{"finalizers":null}}""");
        await _fixture.Management.WaitGoneAsync<Tenant>("", "t1");
    }

    private static bool IsProgrammed(Route route) =>
        route.Status?.Conditions?.Any(c => c.Type == RouteConditions.Programmed && c.IsTrue) == true;

    private async Task<Corev1Event> EventAsync(string route, string reason, string message = "")
    {
        var found = await Eventually.GetAsync(
            $"an Event {reason} of {route}",
            () => EventsAsync(Tenant),
            events => events.Any(Matches),
            events => string.Join("; ", events.Select(e => $"{e.InvolvedObject.Name} {e.Reason} {e.Message}"))
        );
        return found.First(Matches);

        bool Matches(Corev1Event e) =>
            e.InvolvedObject.Name == route && e.Reason == reason && e.Message.StartsWith(message, StringComparison.Ordinal);
    }

    // Envoy Gateway may observe a new HTTPRoute before its Service, which was written first, and reports that briefly.
    private static bool IsTransientBackendNotFound(Corev1Event reported) => reported is { Reason: "BackendNotFound", Count: 1 };

    private async Task<IReadOnlyList<Corev1Event>> EventsAsync(string @namespace) =>
        [.. (await _fixture.Management.ListAsync<Corev1Event>(@namespace)).Where(e => e.Source?.Component == "kubelb-manager")];
}
