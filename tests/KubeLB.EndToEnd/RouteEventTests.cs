using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>What the operator reads under Events of Routes and Tenants.</summary>
public sealed class RouteEventTests : IAsyncLifetime
{
    private const string Tenant = "tenant-t1";
    private SystemFixture _bed = null!;

    public async ValueTask InitializeAsync()
    {
        _bed = await SystemFixture.StartAsync();
        await _bed.ApplyBasicExampleAsync();
        await _bed.StopCcmAsync();
    }

    public async ValueTask DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task What_goes_as_it_should_is_not_told()
    {
        await _bed.Management.CreateAsync(CarriedRoutes.Http(Tenant, "fine"));
        await _bed.Management.WaitAsync<Route>(Tenant, "fine", IsProgrammed, "is programmed");
        await _bed.Management.PatchAsync<Route>(Tenant, "fine", CarriedRoutes.Edit("edited.example.com", 2));
        await _bed.Management.WaitAsync<Route>(
            Tenant,
            "fine",
            r => IsProgrammed(r) && r.Status!.Resources!.Route!.SourceGeneration == 2,
            "is programmed anew"
        );
        await _bed.SettleAsync();

        (await EventsAsync(Tenant)).Where(e => !IsOfWatches(e)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_refusal_and_its_mending_are_told_once_each_and_kubectl_shows_them()
    {
        using var kubectl = new KubectlBinary(_bed.Sandbox.Management.KubeconfigYaml);
        var route = CarriedRoutes.Http(Tenant, "bad");
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = null);
        await _bed.Management.CreateAsync(route);
        await EventAsync("bad", "Refused");
        await _bed.Management.PatchAsync<Route>(Tenant, "bad", """{"metadata":{"labels":{"look":"again"}}}""");
        await _bed.SettleAsync();
        await _bed.RestartManagerAsync();
        var mended = CarriedRoutes.Http(Tenant, "bad").Kubernetes().Services!;
        await _bed.Management.PatchAsync<Route>(
            Tenant,
            "bad",
            new System.Text.Json.Nodes.JsonObject
            {
                ["spec"] = Api.Serialization.ApiJson.ToJson(new { source = new { kubernetes = new { services = mended } } }),
            }.ToJsonString()
        );
        await EventAsync("bad", "Applied");
        await _bed.SettleAsync();

        (await EventsAsync(Tenant))
            .Where(e => !IsOfWatches(e))
            .Select(e => $"{e.Type} {e.Reason} {e.Count}")
            .Should()
            .BeEquivalentTo("Warning Refused 1", "Normal Applied 1");
        var text = (await kubectl.OkAsync($"describe route bad -n {Tenant}")).Text;
        text.Should()
            .MatchRegex(
                @"Warning +Refused +\S+( \(x\d+ over \S+\))? +kubelb-manager +Service default/bad: port 80 with nodePort none is not usable; both must be 1-65535\."
            );
        text.Should()
            .MatchRegex(
                @"Normal +Applied +\S+( \(x\d+ over \S+\))? +kubelb-manager +What was wrong is mended: HTTPRoute default-bad is generated"
            );
    }

    [Fact]
    public async Task A_name_that_is_taken_is_told_with_the_one_that_is_used()
    {
        await _bed.Management.CreateAsync(CarriedRoutes.Http(Tenant, "b-c"));
        await _bed.Management.WaitAsync<Route>(Tenant, "b-c", IsProgrammed, "is programmed");
        var rival = CarriedRoutes.Http(Tenant, "rival");
        rival.Change(k =>
            k.Resource!["metadata"] = new System.Text.Json.Nodes.JsonObject
            {
                ["namespace"] = "default-b",
                ["name"] = "c",
                ["uid"] = "rival",
            }
        );
        await _bed.Management.CreateAsync(rival);

        var told = await EventAsync("rival", "NameTaken");

        var name = (
            await _bed.Management.WaitAsync<Route>(
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
        told.Should()
            .Match<Corev1Event>(e =>
                e.Type == "Normal"
                && e.Message == $"The name default-b-c is another object's; HTTPRoute default-b/c of the tenant is generated as {name}."
            );
    }

    [Fact]
    public async Task What_somebody_changes_or_deletes_by_hand_is_repaired_and_told()
    {
        await _bed.Management.CreateAsync(CarriedRoutes.Http(Tenant, "edited"));
        await _bed.Management.WaitAsync<Route>(Tenant, "edited", IsProgrammed, "is programmed");

        await _bed.Management.PatchAsync<HttpRoute>(Tenant, "default-edited", """{"spec":{"hostnames":["mine.example.com"]}}""");
        (await EventAsync("edited", "Repaired"))
            .Message.Should()
            .Be(
                "Somebody changed HTTPRoute default-edited, which is generated; it is as it was again. Change the tenant's object instead."
            );
        await _bed.Management.WaitAsync<HttpRoute>(
            Tenant,
            "default-edited",
            r => r.Spec!.Hostnames!.Contains("edited.example.com"),
            "is repaired"
        );

        await _bed.Management.DeleteAsync<V1Service>(Tenant, "default-edited-edited");
        await EventAsync("edited", "Repaired", "Somebody deleted Service default-edited-edited");
        await _bed.Management.WaitAsync<V1Service>(Tenant, "default-edited-edited", _ => true, "is back");
    }

    [Fact]
    public async Task A_tenant_that_is_set_up_and_one_that_waits_on_its_way_out_are_told()
    {
        var about = (await EventsAsync("default")).Should().ContainSingle(e => e.InvolvedObject.Kind == "Tenant").Subject;
        about.Should().Match<Corev1Event>(e => e.Type == "Normal" && e.Reason == "Reconciled" && e.InvolvedObject.Name == "t1");

        await _bed.Management.PatchAsync<HttpRoute>(Tenant, "default-api-route", """{"metadata":{"finalizers":["example.com/mine"]}}""");
        await _bed.Management.DeleteAsync<Tenant>("", "t1");
        var told = await Eventually.GetAsync(
            "an Event that names the holder",
            async () => (await EventsAsync("default")).FirstOrDefault(e => e.Type == "Warning"),
            found => found is not null
        );
        told!.Message.Should().Contain("default-api-route is held by the finalizer example.com/mine");
        await _bed.Management.PatchAsync<HttpRoute>(Tenant, "default-api-route", """{"metadata":{"finalizers":null}}""");
        await _bed.Management.WaitGoneAsync<Tenant>("", "t1");
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

    // Envoy Gateway may hear of a new HTTPRoute before it hears of the Service that was written before it, and says so for a moment.
    private static bool IsOfWatches(Corev1Event told) => told is { Reason: "BackendNotFound", Count: 1 };

    private async Task<IReadOnlyList<Corev1Event>> EventsAsync(string @namespace) =>
        [.. (await _bed.Management.ListAsync<Corev1Event>(@namespace)).Where(e => e.Source?.Component == "kubelb-manager")];
}
