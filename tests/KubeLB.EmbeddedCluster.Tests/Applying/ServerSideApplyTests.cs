using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Applying;

/// <summary>Server-side apply over HTTP.</summary>
public sealed class ServerSideApplyTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>, IAsyncLifetime
{
    private const string Apply = "application/apply-patch+yaml";
    private static readonly string Definition = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "gadgets.crd.yaml"));

    private readonly Api _api = fixture.Api;
    private string _namespace = "";

    private string Maps => $"/api/v1/namespaces/{_namespace}/configmaps";

    private string Deployments => $"/apis/apps/v1/namespaces/{_namespace}/deployments";

    private string Gadgets => $"/apis/shop.example.com/v1/namespaces/{_namespace}/gadgets";

    public async ValueTask InitializeAsync()
    {
        await fixture.Cluster.InstallCrdsAsync(Definition);
        _namespace = await _api.NamespaceAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Apply_creates_merges_and_removes_by_owner()
    {
        (await ApplyAsync($"{Maps}/a", "one", Map("a", "x: '1', y: '1'"))).ShouldBe(201);
        (await ApplyAsync($"{Maps}/a", "two", Map("a", "z: '1'"))).ShouldBe(200);
        (await ApplyAsync($"{Maps}/a", "one", Map("a", "y: '1'"))).ShouldBe(200);

        var found = await _api.GetAsync($"{Maps}/a");
        Same(found.At("data"), """{"y":"1","z":"1"}""");
        Owned(found, "one").Should().Equal(".data.y");
        Owned(found, "two").Should().Equal(".data.z");
    }

    [Fact]
    public async Task Value_of_another_manager_conflicts_until_forced()
    {
        await ApplyAsync($"{Maps}/c", "one", Map("c", "x: '1', y: '1'"));

        var rejected = (await ApplyAsync($"{Maps}/c", "two", Map("c", "x: '2', y: '2'"))).ShouldBe(409);
        rejected.Message.Should().Be("Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.x\n- .data.y");
        rejected.Reason.Should().Be("Conflict");
        Same(rejected.At("details.causes.1"), """{"reason":"FieldManagerConflict","message":"conflict with \"one\"","field":".data.y"}""");

        (await ApplyAsync($"{Maps}/c", "two", Map("c", "x: '1'"))).ShouldBe(200);
        var forced = (await ApplyAsync($"{Maps}/c", "two", Map("c", "x: '2'"), "&force=true")).ShouldBe(200);
        Owned(forced, "one").Should().Equal(".data.y");
        Owned(forced, "two").Should().Equal(".data.x");
    }

    [Fact]
    public async Task Apply_without_change_keeps_the_resourceVersion()
    {
        var first = await ApplyAsync($"{Deployments}/web", "one", Deployment());
        var again = (await ApplyAsync($"{Deployments}/web", "one", Deployment())).ShouldBe(200);

        again.TextAt("metadata.resourceVersion").Should().Be(first.TextAt("metadata.resourceVersion"));
        JsonNode.DeepEquals(first.Body, again.Body).Should().BeTrue();
    }

    [Fact]
    public async Task Lists_of_built_in_kinds_merge_by_key_with_its_defaults()
    {
        (await ApplyAsync($"{Deployments}/web", "one", Deployment())).ShouldBe(201);
        var merged = (
            await ApplyAsync(
                $"{Deployments}/web",
                "two",
                $$"""
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: web}
                spec:
                  template:
                    spec:
                      containers:
                      - {name: web, ports: [{containerPort: 80, name: http}, {containerPort: 443}]}
                      - {name: side, image: side:1}
                """
            )
        ).ShouldBe(200);

        merged.At("spec.template.spec.containers")!.AsArray().Select(item => (string)item!["name"]!).Should().Equal("web", "side");
        Same(
            merged.At("spec.template.spec.containers.0.ports"),
            """[{"containerPort":80,"protocol":"TCP","name":"http"},{"containerPort":443,"protocol":"TCP"}]"""
        );
        Owned(merged, "two")
            .Should()
            .Contain([
                ".spec.template.spec.containers[name=\"web\"].ports[containerPort=443,protocol=\"TCP\"]",
                ".spec.template.spec.containers[name=\"web\"].ports[containerPort=80,protocol=\"TCP\"].name",
            ]);

        var without = await ApplyAsync($"{Deployments}/web", "two", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n");
        without.At("spec.template.spec.containers")!.AsArray().Should().ContainSingle();
        Same(without.At("spec.template.spec.containers.0.ports"), """[{"containerPort":80,"protocol":"TCP"}]""");
        Owned(without, "two").Should().BeEmpty();
    }

    [Fact]
    public async Task Selector_is_atomic()
    {
        var created = await ApplyAsync($"{Deployments}/web", "one", Deployment());
        Owned(created, "one")
            .Should()
            .Contain(".spec.selector")
            .And.NotContain(path => path.StartsWith(".spec.selector.", StringComparison.Ordinal));

        var service = await ApplyAsync(
            $"/api/v1/namespaces/{_namespace}/services/s",
            "one",
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {a: b}, ports: [{port: 80}]}}"
        );
        Owned(service, "one")
            .Should()
            .Equal(".spec.ports[port=80,protocol=\"TCP\"]", ".spec.ports[port=80,protocol=\"TCP\"].port", ".spec.selector");
        (
            await ApplyAsync(
                $"/api/v1/namespaces/{_namespace}/services/s",
                "two",
                "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {c: d}}}"
            )
        )
            .ShouldBe(409)
            .Message.Should()
            .Be("Apply failed with 1 conflict: conflict with \"one\": .spec.selector");
    }

    [Fact]
    public async Task Fields_before_the_first_apply_have_an_owner()
    {
        (await _api.PostAsync(Maps, """{"metadata":{"name":"b"},"data":{"x":"1","y":"1"}}""")).ShouldBe(201);
        (await _api.GetAsync($"{Maps}/b")).At("metadata.managedFields").Should().BeNull();

        (await ApplyAsync($"{Maps}/b", "one", Map("b", "x: '2'")))
            .ShouldBe(409)
            .Message.Should()
            .Be("Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.x");
        var applied = (await ApplyAsync($"{Maps}/b", "one", Map("b", "x: '2'"), "&force=true")).ShouldBe(200);
        Owned(applied, "before-first-apply").Should().Equal(".data", ".data.y");
        Owned(applied, "one").Should().Equal(".data.x");
    }

    [Fact]
    public async Task Write_after_the_first_apply_owns_changed_fields()
    {
        await ApplyAsync($"{Maps}/u", "one", Map("u", "x: '1', y: '1', z: '1'"));
        (
            await _api.SendAsync(
                HttpMethod.Patch,
                $"{Maps}/u?fieldManager=editor",
                """{"data":{"x":"2","z":null,"n":"1"}}""",
                "application/merge-patch+json"
            )
        ).ShouldBe(200);

        var found = await _api.GetAsync($"{Maps}/u");
        Owned(found, "editor").Should().Equal(".data.n", ".data.x");
        Owned(found, "one").Should().Equal(".data.y");
        (await ApplyAsync($"{Maps}/u", "one", Map("u", "x: '1'")))
            .ShouldBe(409)
            .Message.Should()
            .Be("Apply failed with 1 conflict: conflict with \"editor\" using v1: .data.x");

        var body = found.Body!.DeepClone();
        body["data"]!["y"] = "3";
        body["metadata"]!.AsObject().Remove("managedFields");
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{Maps}/u")
        {
            Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("User-Agent", "my-controller/v1 (linux)");
        using var response = await _api.Http.SendAsync(request);
        ((int)response.StatusCode).Should().Be(200);
        Owned(await _api.GetAsync($"{Maps}/u"), "my-controller").Should().Equal(".data.y");
    }

    [Fact]
    public async Task Scale_and_status_subresources_have_their_own_entries()
    {
        await ApplyAsync($"{Deployments}/web", "one", Deployment());
        await _api.SendAsync(
            HttpMethod.Patch,
            $"{Deployments}/web/scale?fieldManager=scaler",
            """{"spec":{"replicas":7}}""",
            "application/merge-patch+json"
        );
        (await ApplyAsync($"{Deployments}/web", "one", Deployment()))
            .ShouldBe(409)
            .Message.Should()
            .Be("Apply failed with 1 conflict: conflict with \"scaler\" with subresource \"scale\" using apps/v1: .spec.replicas");

        (
            await ApplyAsync(
                $"{Gadgets}/g",
                "one",
                "{apiVersion: shop.example.com/v1, kind: Gadget, metadata: {name: g}, spec: {size: 1}, status: {a: 1}}"
            )
        ).ShouldBe(201);
        var status = (
            await ApplyAsync(
                $"{Gadgets}/g/status",
                "one",
                "{apiVersion: shop.example.com/v1, kind: Gadget, metadata: {name: g}, spec: {size: 2}, status: {replicas: 1, free: {a: 1}}}"
            )
        ).ShouldBe(200);
        Same(status.At("spec.size"), "1");
        Same(status.At("status"), """{"replicas":1,"free":{"a":1}}""");
        var entries = status.At("metadata.managedFields")!.AsArray();
        entries
            .Select(entry => ((string?)entry!["manager"], (string?)entry["subresource"]))
            .Should()
            .BeEquivalentTo([("one", null), ("one", "status")]);
        (
            await ApplyAsync($"{Gadgets}/absent/status", "one", "{apiVersion: shop.example.com/v1, kind: Gadget, metadata: {name: absent}}")
        ).ShouldBe(404);
    }

    [Fact]
    public async Task Custom_resources_merge_by_their_schema()
    {
        const string Head = "{apiVersion: shop.example.com/v1, kind: Gadget, metadata: {name: m}";
        (
            await ApplyAsync(
                $"{Gadgets}/m",
                "one",
                Head + """, spec: {size: 1, tags: [a, b], ports: [{name: x}], labels: {a: '1'}, free: {deep: {list: [1]}}}}"""
            )
        ).ShouldBe(201);
        var merged = (
            await ApplyAsync(
                $"{Gadgets}/m",
                "two",
                Head + """, spec: {tags: [c], ports: [{name: y, port: 1}], labels: {b: '2'}, free: {deep: {more: 1}}}}"""
            )
        ).ShouldBe(200);

        Same(merged.At("spec.tags"), """["a","b","c"]""");
        Same(merged.At("spec.ports"), """[{"name":"x","port":80,"protocol":"TCP"},{"name":"y","port":1,"protocol":"TCP"}]""");
        Same(merged.At("spec.labels"), """{"a":"1","b":"2"}""");
        Same(merged.At("spec.free"), """{"deep":{"list":[1],"more":1}}""");
        Owned(merged, "two").Should().Contain([".spec.tags[=\"c\"]", ".spec.ports[name=\"y\"]", ".spec.labels.b", ".spec.free.deep.more"]);

        var less = (await ApplyAsync($"{Gadgets}/m", "one", Head + """, spec: {size: 1, tags: [b]}}""")).ShouldBe(200);
        Same(
            less.At("spec"),
            """{"size":1,"replicas":1,"colour":"red","tags":["b","c"],"ports":[{"name":"y","port":1,"protocol":"TCP"}]"""
                + ""","labels":{"b":"2"},"free":{"deep":{"more":1}}}"""
        );
        (await ApplyAsync($"{Gadgets}/m", "two", Head + """, spec: {bogus: 1}}"""))
            .ShouldBe(400)
            .Message.Should()
            .Be("failed to create typed patch object (/m; shop.example.com/v1, Kind=Gadget): .spec.bogus: field not declared in schema");
    }

    [Theory]
    [InlineData(
        "",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
        422,
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
    )]
    [InlineData(
        "?fieldManager=a%0Ab",
        "{}",
        422,
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Invalid value: \"a\\nb\": should only contain printable characters"
    )]
    [InlineData(
        "?fieldManager=m&dryRun=Some",
        "{}",
        422,
        "PatchOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"Some\": supported values: \"All\""
    )]
    [InlineData("?fieldManager=m", "{apiVersion: v1, kind: Secret, metadata: {name: x}}", 400, "invalid object type: /v1, Kind=Secret")]
    [InlineData(
        "?fieldManager=m",
        "{apiVersion: apps/v1, kind: ConfigMap, metadata: {name: x}}",
        400,
        "invalid object type: apps/v1, Kind=ConfigMap"
    )]
    [InlineData("?fieldManager=m", "", 400, "invalid object type: /, Kind=")]
    [InlineData(
        "?fieldManager=m",
        "[1]",
        400,
        "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type "
            + "map[string]interface {}"
    )]
    [InlineData(
        "?fieldManager=m",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, managedFields: []}}",
        400,
        "metadata.managedFields must be nil"
    )]
    [InlineData(
        "?fieldManager=m",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: y}}",
        400,
        "the name of the object (y) does not match the name on the URL (x)"
    )]
    [InlineData(
        "?fieldManager=m",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: elsewhere}}",
        400,
        "the namespace of the object (elsewhere) does not match the namespace on the URL"
    )]
    [InlineData(
        "?fieldManager=m",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a: 1}}",
        400,
        "failed to create typed patch object (/x; v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}"
    )]
    [InlineData(
        "?fieldManager=m",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: [], more: 1}",
        400,
        "failed to create typed patch object (/x; v1, Kind=ConfigMap): errors:\n  .data: expected map, got &{[]}\n  .more: field "
            + "not declared in schema"
    )]
    [InlineData(
        "?fieldManager=m&fieldValidation=Strict",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b, a: c}",
        400,
        "error strict decoding YAML: duplicate field \"data.a\""
    )]
    public async Task Invalid_apply_is_rejected(string query, string body, int status, string message)
    {
        (await _api.SendAsync(HttpMethod.Patch, $"{Maps}/x{query}", body, Apply)).ShouldBe(status).Message.Should().StartWith(message);
        (await _api.GetAsync($"{Maps}/x")).ShouldBe(404);
    }

    [Fact]
    public async Task Duplicate_items_of_an_applied_list_are_rejected()
    {
        const string Path = "failed to create typed patch object (/s; v1, Kind=Service): .spec.ports: ";
        var services = $"/api/v1/namespaces/{_namespace}/services/s";
        (
            await ApplyAsync(
                services,
                "m",
                "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}, {port: 80, name: b}]}}"
            )
        )
            .ShouldBe(400)
            .Message.Should()
            .Be($"{Path}duplicate entries for key [port=80,protocol=\"TCP\"]");
        (await ApplyAsync(services, "m", "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [7]}}"))
            .ShouldBe(400)
            .Message.Should()
            .Be($"{Path}element 0: associative list with keys may not have non-map elements");
    }

    [Fact]
    public async Task Force_without_apply_is_rejected()
    {
        await _api.PostAsync(Maps, """{"metadata":{"name":"f"}}""");
        (await _api.SendAsync(HttpMethod.Patch, $"{Maps}/f?force=true", "{}", "application/merge-patch+json"))
            .ShouldBe(422)
            .Message.Should()
            .Be("PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch");
    }

    [Fact]
    public async Task Dry_run_apply_stores_nothing()
    {
        (await ApplyAsync($"{Maps}/d", "one", Map("d", "x: '1'"), "&dryRun=All")).ShouldBe(201);
        (await _api.GetAsync($"{Maps}/d")).ShouldBe(404);

        var created = await ApplyAsync($"{Maps}/d", "one", Map("d", "x: '1'"));
        var dry = (await ApplyAsync($"{Maps}/d", "one", Map("d", "x: '2'"), "&dryRun=All")).ShouldBe(200);
        Same(dry.At("data"), """{"x":"2"}""");
        (await _api.GetAsync($"{Maps}/d")).TextAt("metadata.resourceVersion").Should().Be(created.TextAt("metadata.resourceVersion"));
    }

    [Fact]
    public async Task Managed_fields_can_be_replaced_and_cleared_explicitly()
    {
        await ApplyAsync($"{Maps}/r", "one", Map("r", "x: '1'"));
        var entry =
            """{"manager":"other","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:x":{}}}}""";

        (await _api.MergeAsync($"{Maps}/r", """{"metadata":{"managedFields":[]}}""")).ShouldBe(200);
        Owned(await _api.GetAsync($"{Maps}/r"), "one").Should().Equal(".data.x");
        (await _api.MergeAsync($"{Maps}/r", """{"metadata":{"managedFields":[{"operation":"Nonsense"}]}}""")).ShouldBe(200);
        Owned(await _api.GetAsync($"{Maps}/r"), "one").Should().Equal(".data.x");
        (
            await _api.SendAsync(
                HttpMethod.Patch,
                $"{Maps}/r",
                $$"""[{"op":"replace","path":"/metadata/managedFields","value":[{{entry}}]}]""",
                "application/json-patch+json"
            )
        ).ShouldBe(200);
        var replaced = await _api.GetAsync($"{Maps}/r");
        Owned(replaced, "one").Should().BeEmpty();
        Owned(replaced, "other").Should().Equal(".data.x");
        (await _api.MergeAsync($"{Maps}/r", """{"metadata":{"managedFields":[{}]}}""")).ShouldBe(200);
        (await _api.GetAsync($"{Maps}/r")).At("metadata.managedFields").Should().BeNull();
    }

    [Fact]
    public async Task Apply_with_stale_resourceVersion_is_rejected()
    {
        await ApplyAsync($"{Maps}/v", "one", Map("v", "x: '1'"));
        (
            await ApplyAsync(
                $"{Maps}/v",
                "one",
                "{apiVersion: v1, kind: ConfigMap, metadata: {name: v, resourceVersion: '1'}, data: {x: '2'}}"
            )
        )
            .ShouldBe(409)
            .Message.Should()
            .Contain("the object has been modified");
    }

    [Fact]
    public async Task Ten_updaters_have_entries_and_older_ones_are_merged()
    {
        await ApplyAsync($"{Maps}/many", "one", Map("many", "x: '1'"));
        for (var i = 0; i < 15; i++)
        {
            (
                await _api.SendAsync(
                    HttpMethod.Patch,
                    $"{Maps}/many?fieldManager=m{i:00}",
                    $$$"""{"data":{"k{{{i:00}}}":"1"}}""",
                    "application/merge-patch+json"
                )
            ).ShouldBe(200);
        }
        var entries = (await _api.GetAsync($"{Maps}/many")).At("metadata.managedFields")!.AsArray();

        entries.Count(entry => (string)entry!["operation"]! == "Update").Should().BeLessThanOrEqualTo(11);
        Owned(await _api.GetAsync($"{Maps}/many"), "ancient-changes").Should().Contain(".data.k00");
    }

    [Fact]
    public async Task Apply_can_return_tables_and_metadata()
    {
        var table = await _api.SendAsync(
            HttpMethod.Patch,
            $"{Maps}/t?fieldManager=m",
            Map("t", "x: '1'"),
            Apply,
            "application/json;as=Table;v=v1;g=meta.k8s.io"
        );
        table.ShouldBe(201).TextAt("kind").Should().Be("Table");
        var metadata = await _api.SendAsync(
            HttpMethod.Patch,
            $"{Maps}/t?fieldManager=m",
            Map("t", "x: '1'"),
            Apply,
            "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        );
        metadata.ShouldBe(200).TextAt("kind").Should().Be("PartialObjectMetadata");
        Owned(metadata, "m").Should().Equal(".data.x");
    }

    [Fact]
    public async Task Apply_of_a_new_object_needs_create_permission()
    {
        const string Rbac = "/apis/rbac.authorization.k8s.io/v1";
        (await _api.PostAsync($"/api/v1/namespaces/{_namespace}/serviceaccounts", """{"metadata":{"name":"patcher"}}""")).ShouldBe(201);
        (
            await _api.PostAsync(
                $"{Rbac}/namespaces/{_namespace}/roles",
                """{"metadata":{"name":"patcher"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}]}"""
            )
        ).ShouldBe(201);
        (
            await _api.PostAsync(
                $"{Rbac}/namespaces/{_namespace}/rolebindings",
                $$$"""
                {"metadata":{"name":"patcher"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"patcher"},
                  "subjects":[{"kind":"ServiceAccount","name":"patcher","namespace":"{{{_namespace}}}"}]}
                """
            )
        ).ShouldBe(201);
        var token = (await _api.PostAsync($"/api/v1/namespaces/{_namespace}/serviceaccounts/patcher/token", """{"spec":{}}""")).TextAt(
            "status.token"
        );
        using var patcher = new Api(fixture.Cluster, token);

        (await patcher.SendAsync(HttpMethod.Patch, $"{Maps}/p?fieldManager=m", Map("p", "x: '1'"), Apply))
            .ShouldBe(403)
            .Message.Should()
            .Be(
                $"configmaps \"p\" is forbidden: User \"system:serviceaccount:{_namespace}:patcher\" cannot create resource "
                    + $"\"configmaps\" in API group \"\" in the namespace \"{_namespace}\""
            );
        await ApplyAsync($"{Maps}/p", "one", Map("p", "x: '1'"));
        (await patcher.SendAsync(HttpMethod.Patch, $"{Maps}/p?fieldManager=m", Map("p", "y: '1'"), Apply)).ShouldBe(200);
    }

    [Fact]
    public async Task Kubectl_adopts_fields_of_client_side_apply()
    {
        (
            await _api.PostAsync(
                Maps,
                """
                {"metadata":{"name":"k","annotations":{"kubectl.kubernetes.io/last-applied-configuration":
                  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"k\"},\"data\":{\"x\":\"1\"}}"}},
                  "data":{"x":"1","y":"1"}}
                """
            )
        ).ShouldBe(201);

        (await ApplyAsync($"{Maps}/k", "kubectl", Map("k", "x: '2', y: '2'")))
            .ShouldBe(409)
            .Message.Should()
            .Be("Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.y");
        var applied = (await ApplyAsync($"{Maps}/k", "kubectl", Map("k", "x: '2'"))).ShouldBe(200);
        ((string)applied.At("metadata.annotations")!["kubectl.kubernetes.io/last-applied-configuration"]!).Should().Contain("\"x\":\"2\"");
    }

    [Fact]
    public async Task Concurrent_appliers_all_own_their_fields()
    {
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => ApplyAsync($"{Maps}/race", $"m{i}", Map("race", $"k{i}: '1'")))
        );

        replies.Count(reply => reply.Status == 201).Should().Be(1);
        replies.Count(reply => reply.Status == 200).Should().Be(19);
        (await _api.GetAsync($"{Maps}/race")).At("data")!.AsObject().Should().HaveCount(20);
    }

    [Fact]
    public async Task Excessive_YAML_aliases_are_rejected()
    {
        var bomb =
            "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
            + string.Concat(
                Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n")
            );

        (await ApplyAsync($"{Maps}/bomb", "m", bomb)).ShouldBe(400).Message.Should().Contain("excessive aliasing");
    }

    private Task<Reply> ApplyAsync(string path, string manager, string body, string options = "") =>
        _api.SendAsync(HttpMethod.Patch, $"{path}?fieldManager={manager}{options}", body, Apply);

    private static string Map(string name, string data) =>
        $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{data}}}\n";

    private static string Deployment() =>
        """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              replicas: 2
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec:
                  containers:
                  - {name: web, image: "nginx:1", ports: [{containerPort: 80}]}
            """;

    private static IReadOnlyList<string> Owned(Reply reply, string manager) => OwnedFields.Of(reply.Body!, manager);

    private static void Same(JsonNode? actual, string expected) =>
        JsonNode.DeepEquals(actual, JsonNode.Parse(expected)).Should().BeTrue($"expected {expected} but found {actual?.ToJsonString()}");
}

/// <summary>Reads managedFields of responses.</summary>
internal static class OwnedFields
{
    /// <summary>The paths that a manager owns, as printed in conflicts.</summary>
    public static IReadOnlyList<string> Of(JsonNode tree, string manager) =>
        [
            .. (tree["metadata"]?["managedFields"]?.AsArray() ?? [])
                .Where(entry => (string?)entry!["manager"] == manager)
                .SelectMany(entry => FieldSet.Parse(entry!["fieldsV1"]!.AsObject()).Paths().Select(FieldElement.Describe)),
        ];
}
