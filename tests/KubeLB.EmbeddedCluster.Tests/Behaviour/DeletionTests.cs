using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

public sealed class DeletionTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private readonly Api _api = fixture.Api;

    [Fact]
    public async Task Dependents_are_deleted_after_their_last_owner()
    {
        var maps = await MapsAsync();
        var one = await CreateAsync(maps, "one");
        var two = await CreateAsync(maps, "two");
        await CreateAsync(maps, "both", Owners(("one", one), ("two", two)));

        (await _api.DeleteAsync($"{maps}/one")).ShouldBe(200);
        var kept = await _api.UntilAsync($"{maps}/both", reply => reply.At("metadata.ownerReferences")!.AsArray().Count == 1);
        kept.TextAt("metadata.ownerReferences.0.name").Should().Be("two");

        (await _api.DeleteAsync($"{maps}/two")).ShouldBe(200);
        await _api.UntilGoneAsync($"{maps}/both");
    }

    [Fact]
    [Trait("Threat", "forged-metadata")]
    public async Task Object_with_missing_owner_is_deleted()
    {
        var maps = await MapsAsync();
        await CreateAsync(maps, "stray", Owners(("nobody", Guid.NewGuid().ToString())));

        await _api.UntilGoneAsync($"{maps}/stray");
    }

    [Fact]
    public async Task Orphaning_delete_keeps_dependents_without_owner()
    {
        var maps = await MapsAsync();
        var owner = await CreateAsync(maps, "owner");
        await CreateAsync(maps, "child", Owners(("owner", owner)));

        (await _api.DeleteAsync($"{maps}/owner", """{"propagationPolicy":"Orphan"}""")).ShouldBe(200);

        await _api.UntilGoneAsync($"{maps}/owner");
        (await _api.GetAsync($"{maps}/child")).ShouldBe(200).At("metadata.ownerReferences").Should().BeNull();
    }

    [Fact]
    public async Task Foreground_delete_waits_for_blocking_dependents()
    {
        var maps = await MapsAsync();
        var owner = await CreateAsync(maps, "owner");
        await CreateAsync(
            maps,
            "child",
            Owners(("owner", owner)).Replace("\"uid\"", "\"blockOwnerDeletion\":true,\"uid\"") + ",\"finalizers\":[\"example.com/hold\"]"
        );

        (await _api.DeleteAsync($"{maps}/owner", """{"propagationPolicy":"Foreground"}""")).ShouldBe(200);
        await _api.UntilAsync($"{maps}/child", reply => reply.At("metadata.deletionTimestamp") is not null);
        (await _api.GetAsync($"{maps}/owner")).ShouldBe(200).TextAt("metadata.finalizers.0").Should().Be("foregroundDeletion");

        (await _api.MergeAsync($"{maps}/child", """{"metadata":{"finalizers":null}}""")).ShouldBe(200);
        await _api.UntilGoneAsync($"{maps}/owner");
    }

    [Fact]
    public async Task Terminating_namespace_reports_remaining_content()
    {
        var name = await _api.NamespaceAsync();
        await CreateAsync($"/api/v1/namespaces/{name}/configmaps", "held", ",\"finalizers\":[\"example.com/hold\"]");
        await CreateAsync($"/api/v1/namespaces/{name}/secrets", "free");

        var terminating = (await _api.DeleteAsync($"/api/v1/namespaces/{name}")).ShouldBe(200);
        terminating.TextAt("status.phase").Should().Be("Terminating");
        await _api.UntilGoneAsync($"/api/v1/namespaces/{name}/secrets/free");
        var waiting = await _api.UntilAsync($"/api/v1/namespaces/{name}", reply => reply.At("status.conditions") is not null);
        waiting.Text.Should().Contain("example.com/hold in 1 resource instances");

        (await _api.MergeAsync($"/api/v1/namespaces/{name}/configmaps/held", """{"metadata":{"finalizers":[]}}""")).ShouldBe(200);
        await _api.UntilGoneAsync($"/api/v1/namespaces/{name}");
    }

    [Fact]
    public async Task Namespace_gets_a_default_ServiceAccount()
    {
        var name = await _api.NamespaceAsync();

        await _api.UntilAsync($"/api/v1/namespaces/{name}/serviceaccounts/default", reply => reply.Status == 200);
    }

    [Fact]
    public async Task Deleted_definition_is_not_served_and_its_objects_are_deleted()
    {
        const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        const string Objects = "/apis/gone.example.com/v1/things";
        (
            await _api.PostAsync(
                Definitions,
                """
                {"metadata":{"name":"things.gone.example.com"},"spec":{"group":"gone.example.com","scope":"Cluster",
                  "names":{"plural":"things","kind":"Thing"},
                 "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}
                """
            )
        ).ShouldBe(201);
        (await _api.PostAsync(Objects, """{"apiVersion":"gone.example.com/v1","kind":"Thing","metadata":{"name":"a"}}""")).ShouldBe(201);

        (await _api.DeleteAsync($"{Definitions}/things.gone.example.com")).ShouldBe(200);

        await _api.UntilGoneAsync($"{Definitions}/things.gone.example.com");
        (await _api.UntilGoneAsync(Objects)).Text.Should().Be("404 page not found\n");
    }

    private async Task<string> MapsAsync() => $"/api/v1/namespaces/{await _api.NamespaceAsync()}/configmaps";

    private async Task<string> CreateAsync(string collection, string name, string more = "") =>
        (await _api.PostAsync(collection, $$$"""{"metadata":{"name":"{{{name}}}"{{{more}}} } }""")).ShouldBe(201).TextAt("metadata.uid")!;

    private static string Owners(params (string Name, string Uid)[] owners) =>
        ",\"ownerReferences\":["
        + string.Join(
            ",",
            owners.Select(owner => $$"""{"apiVersion":"v1","kind":"ConfigMap","name":"{{owner.Name}}","uid":"{{owner.Uid}}"}""")
        )
        + "]";
}
