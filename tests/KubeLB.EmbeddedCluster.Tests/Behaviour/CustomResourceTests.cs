using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

public sealed class CustomResourceTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>, IAsyncLifetime
{
    private readonly Api _api = fixture.Api;
    private string _gadgets = "";

    public async ValueTask InitializeAsync()
    {
        await fixture.Cluster.InstallCrdsAsync(await File.ReadAllTextAsync("Fixtures/gadgets.crd.yaml"));
        _gadgets = $"/apis/shop.example.com/v1/namespaces/{await _api.NamespaceAsync()}/gadgets";
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Defaults_apply_to_list_items()
    {
        var reply = await CreateAsync("""{"size":1,"ports":[{"name":"a"},{"name":"b","port":9}]}""");

        reply.ShouldBe(201);
        reply
            .At("spec")!
            .ToJsonString()
            .Should()
            .Be(
                """{"size":1,"ports":[{"name":"a","port":80,"protocol":"TCP"},{"name":"b","port":9,"protocol":"TCP"}],"replicas":1"""
                    + ""","colour":"red"}"""
            );
    }

    [Fact]
    public async Task Unknown_members_are_pruned_unless_preserved()
    {
        var reply = await CreateAsync(
            """{"size":1,"bogus":{"x":1},"ports":[{"name":"a","y":2}],"free":{"kept":1}"""
                + ""","template":{"apiVersion":"v1","kind":"Pod","z":3}}"""
        );

        reply
            .ShouldBe(201)
            .Headers.GetValues("Warning")
            .Should()
            .BeEquivalentTo("299 - \"unknown field \\\"spec.bogus\\\"\"", "299 - \"unknown field \\\"spec.ports[0].y\\\"\"");
        reply.At("spec.bogus").Should().BeNull();
        reply.At("spec.ports.0.y").Should().BeNull();
        reply.TextAt("spec.free.kept").Should().Be("1");
        reply.TextAt("spec.template.z").Should().Be("3");
    }

    [Theory]
    [InlineData("""{"size":"x"}""", "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"")]
    [InlineData("""{"size":0}""", "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1")]
    [InlineData("""{"size":1,"colour":"green"}""", "spec.colour: Unsupported value: \"green\": supported values: \"red\", \"blue\"")]
    [InlineData("""{"size":1,"nick":"a"}""", "spec.nick: Invalid value: \"a\": spec.nick in body should be at least 2 chars long")]
    [InlineData("""{"size":1,"nick":"abcdef"}""", "spec.nick: Too long: may not be more than 5 bytes")]
    [InlineData("""{"size":1,"nick":"A1"}""", "spec.nick: Invalid value: \"A1\": spec.nick in body should match '^[a-z]+$'")]
    [InlineData("""{"size":1,"when":"now"}""", "spec.when: Invalid value: \"now\": spec.when in body must be of type date-time: \"now\"")]
    [InlineData(
        """{"size":1,"limit":true}""",
        "spec.limit: Invalid value: \"boolean\": spec.limit in body must be of type integer,string: \"boolean\""
    )]
    [InlineData("""{"size":1,"tags":["a","a"]}""", "spec.tags[1]: Duplicate value: \"a\"")]
    [InlineData("""{"size":1,"tags":["a","b","c","d"]}""", "spec.tags: Too many: 4: must have at most 3 items")]
    [InlineData("""{"size":1,"ports":[{"name":"a"},{"name":"a"}]}""", "spec.ports[1]: Duplicate value: {\"name\":\"a\"}")]
    [InlineData("""{"size":1,"ports":[{}]}""", "spec.ports[0].name: Required value")]
    [InlineData(
        """{"size":1,"labels":{"a":1}}""",
        "spec.labels.a: Invalid value: \"integer\": spec.labels.a in body must be of type string: \"integer\""
    )]
    [InlineData("""{"size":1,"labels":{"a":"1","b":"2","c":"3"}}""", "spec.labels: Too many: 3: must have at most 2 items")]
    [InlineData("""{"size":1,"choice":{}}""", "must validate one and only one schema (oneOf). Found none valid")]
    [InlineData("""{"size":1,"choice":{"a":"","b":""}}""", "must validate one and only one schema (oneOf). Found 2 valid alternatives")]
    [InlineData("""{"size":1,"choice":{"a":"","c":""}}""", "must not validate the schema (not)")]
    [InlineData("""{"size":1,"ratio":0}""", "spec.ratio: Invalid value: 0: spec.ratio in body should be greater than 0")]
    [InlineData("""{"size":1,"ratio":0.7}""", "spec.ratio: Invalid value: 0.7: spec.ratio in body should be a multiple of 0.5")]
    [InlineData("""{"size":1,"template":{}}""", "spec.template.apiVersion: Required value: must not be empty")]
    public async Task Value_that_violates_the_schema_is_rejected(string spec, string complaint)
    {
        var reply = await CreateAsync(spec);

        reply.ShouldBe(422).Message.Should().Contain(complaint);
        reply.Reason.Should().Be("Invalid");
    }

    [Theory]
    [InlineData("""{"size":1,"limit":5,"nick":null}""")]
    [InlineData("""{"size":1,"limit":"50%","when":"2026-01-01T00:00:00Z","ratio":1.5,"choice":{"a":"x"}}""")]
    public async Task Value_that_matches_the_schema_is_accepted(string spec) => (await CreateAsync(spec)).ShouldBe(201);

    [Fact]
    public async Task Lists_support_selectableFields_of_the_definition()
    {
        (await CreateAsync("""{"size":1,"colour":"blue"}""", "b")).ShouldBe(201);
        (await CreateAsync("""{"size":1}""", "r")).ShouldBe(201);

        (await _api.GetAsync($"{_gadgets}?fieldSelector=spec.colour%3Dblue")).ShouldBe(200).At("items")!.AsArray().Should().ContainSingle();
        (await _api.GetAsync($"{_gadgets}?fieldSelector=spec.size%3D1"))
            .ShouldBe(400)
            .Message.Should()
            .Be("field label not supported: spec.size");
    }

    [Fact]
    public async Task Scale_subresource_reads_and_writes_replicas()
    {
        (await CreateAsync("""{"size":1}""", "s")).ShouldBe(201);

        (await _api.MergeAsync($"{_gadgets}/s/scale", """{"spec":{"replicas":3}}""")).ShouldBe(200).TextAt("kind").Should().Be("Scale");
        (await _api.GetAsync($"{_gadgets}/s")).TextAt("spec.replicas").Should().Be("3");
    }

    [Fact]
    public async Task Invalid_definition_is_rejected()
    {
        var reply = await _api.PostAsync(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            """
            {"metadata":{"name":"wrong.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things",
              "kind":"Thing"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
               "properties":{"spec":{}}}}}]}}
            """
        );

        reply
            .ShouldBe(422)
            .Message.Should()
            .Contain("metadata.name: Invalid value: \"wrong.example.com\": must be spec.names.plural+\".\"+spec.group");
        reply
            .Message.Should()
            .Contain(
                "spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified "
                    + "object fields"
            );
    }

    [Fact]
    public async Task Changed_definition_takes_effect_immediately()
    {
        var definition = (await File.ReadAllTextAsync("Fixtures/gadgets.crd.yaml")).Replace("shop.example.com", "next.example.com");
        await fixture.Cluster.InstallCrdsAsync(definition);
        var gadgets = _gadgets.Replace("shop.", "next.");
        const string Big = """{"apiVersion":"next.example.com/v1","kind":"Gadget","metadata":{"name":"big"},"spec":{"size":20}}""";
        (await _api.PostAsync(gadgets, Big)).ShouldBe(422);

        await fixture.Cluster.InstallCrdsAsync(definition.Replace("maximum: 10", "maximum: 30"));

        (await _api.PostAsync(gadgets, Big)).ShouldBe(201);
    }

    [Fact]
    public async Task Existing_objects_are_returned_with_defaults_of_a_changed_definition()
    {
        var definition = (await File.ReadAllTextAsync("Fixtures/gadgets.crd.yaml")).Replace("shop.example.com", "later.example.com");
        await fixture.Cluster.InstallCrdsAsync(definition);
        var gadgets = _gadgets.Replace("shop.", "later.");
        var created = (
            await _api.PostAsync(
                gadgets,
                """{"apiVersion":"later.example.com/v1","kind":"Gadget","metadata":{"name":"old"},"spec":{"size":2,"nick":"ab"}}"""
            )
        ).ShouldBe(201);

        await fixture.Cluster.InstallCrdsAsync(
            definition
                .Replace("size: {type: integer,", "weight: {type: integer, default: 7}\n              size: {type: integer,")
                .Replace("nick:", "renamed:")
        );

        foreach (var reply in new[] { await _api.GetAsync($"{gadgets}/old"), await _api.GetAsync(gadgets) })
        {
            reply
                .ShouldBe(200)
                .Text.Should()
                .Contain("\"weight\":7")
                .And.NotContain("nick")
                .And.Contain($"\"resourceVersion\":\"{created.TextAt("metadata.resourceVersion")}\"");
        }
        using var watch = await _api.WatchAsync($"{gadgets}?watch=1");
        ((int?)(await watch.NextAsync())!["object"]!["spec"]!["weight"]).Should().Be(7);
    }

    [Fact]
    public async Task Second_version_serves_the_same_objects()
    {
        const string Schema = """{"type":"object","x-kubernetes-preserve-unknown-fields":true}""";
        await fixture.Cluster.InstallCrdsAsync(
            """
            {"kind":"CustomResourceDefinition","metadata":{"name":"twins.two.example.com"},"spec":{"group":"two.example.com",
              "scope":"Cluster","names":{"plural":"twins","kind":"Twin"},
             "versions":[{"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":SCHEMA}},{"name":"v1","served":true,
               "storage":true,"schema":{"openAPIV3Schema":SCHEMA}}]}}
            """.Replace("SCHEMA", Schema)
        );
        const string Group = "/apis/two.example.com";
        (
            await _api.PostAsync(
                $"{Group}/v1beta1/twins",
                """{"apiVersion":"two.example.com/v1beta1","kind":"Twin","metadata":{"name":"t"},"spec":{"a":1}}"""
            )
        ).ShouldBe(201);

        var read = (await _api.GetAsync($"{Group}/v1/twins/t")).ShouldBe(200);

        read.TextAt("apiVersion").Should().Be("two.example.com/v1");
        read.TextAt("spec.a").Should().Be("1");
        (await _api.GetAsync(Group)).TextAt("preferredVersion.version").Should().Be("v1");
        (await _api.PutAsync($"{Group}/v1/twins/t", read.Text.Replace("\"a\":1", "\"a\":2"))).ShouldBe(200);
        (await _api.GetAsync($"{Group}/v1beta1/twins/t")).TextAt("spec.a").Should().Be("2");
    }

    private Task<Reply> CreateAsync(string spec, string name = "g") =>
        _api.PostAsync(
            _gadgets,
            $$$"""{"apiVersion":"shop.example.com/v1","kind":"Gadget","metadata":{"name":"{{{name}}}"},"spec":{{{spec}}} }"""
        );
}
