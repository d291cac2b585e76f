using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

public sealed class ObjectTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private readonly Api _api = fixture.Api;

    [Fact]
    public async Task Pages_of_one_list_show_one_snapshot()
    {
        var maps = await MapsAsync();
        foreach (var name in new[] { "a", "b", "c" })
        {
            (await _api.PostAsync(maps, Map(name))).ShouldBe(201);
        }
        var first = (await _api.GetAsync($"{maps}?limit=1")).ShouldBe(200);
        first.TextAt("metadata.remainingItemCount").Should().Be("2");

        (await _api.DeleteAsync($"{maps}/b")).ShouldBe(200);
        (await _api.PostAsync(maps, Map("bb"))).ShouldBe(201);
        var second = (await _api.GetAsync($"{maps}?limit=5&continue={first.TextAt("metadata.continue")}")).ShouldBe(200);

        second.At("items")!.AsArray().Select(item => (string)item!["metadata"]!["name"]!).Should().Equal("b", "c");
        second.TextAt("metadata.resourceVersion").Should().Be(first.TextAt("metadata.resourceVersion"));
    }

    [Fact]
    public async Task One_of_concurrent_updates_with_one_version_succeeds()
    {
        var maps = await MapsAsync();
        var created = (await _api.PostAsync(maps, Map("a"))).ShouldBe(201);
        var body = created.Text;

        var replies = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => _api.PutAsync($"{maps}/a", body.Replace("\"v\"", $"\"{i}\"")))
        );

        replies.Count(reply => reply.Status == 200).Should().Be(1);
        replies.Count(reply => reply.Status == 409).Should().Be(19);
    }

    [Fact]
    public async Task Concurrent_patches_without_version_all_succeed()
    {
        var maps = await MapsAsync();
        (await _api.PostAsync(maps, Map("a"))).ShouldBe(201);

        var replies = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => _api.MergeAsync($"{maps}/a", $$$"""{"data":{"k{{{i}}}":"v"} }"""))
        );

        replies.Should().OnlyContain(reply => reply.Status == 200);
        (await _api.GetAsync($"{maps}/a")).At("data")!.AsObject().Should().HaveCount(41);
    }

    [Fact]
    [Trait("Threat", "api-patches")]
    public async Task Server_metadata_is_immutable()
    {
        var maps = await MapsAsync();
        var created = (await _api.PostAsync(maps, Map("a"))).ShouldBe(201);

        var patched = (
            await _api.MergeAsync(
                $"{maps}/a",
                """{"metadata":{"creationTimestamp":"2000-01-01T00:00:00Z","generation":7"""
                    + ""","deletionTimestamp":"2000-01-01T00:00:00Z","selfLink":"x"}}"""
            )
        ).ShouldBe(200);

        patched.TextAt("metadata.creationTimestamp").Should().Be(created.TextAt("metadata.creationTimestamp"));
        patched.TextAt("metadata.resourceVersion").Should().Be(created.TextAt("metadata.resourceVersion"), "no relevant field has changed");
        patched.At("metadata.deletionTimestamp").Should().BeNull();
        (await _api.MergeAsync($"{maps}/a", """{"metadata":{"uid":"00000000-0000-0000-0000-000000000000"}}""")).ShouldBe(409);
    }

    [Fact]
    public async Task Namespace_with_generated_name_has_the_name_label()
    {
        var created = (await _api.PostAsync("/api/v1/namespaces", """{"metadata":{"generateName":"gen-"}}""")).ShouldBe(201);

        ((string?)created.At("metadata.labels")!["kubernetes.io/metadata.name"])
            .Should()
            .Be(created.TextAt("metadata.name"))
            .And.StartWith("gen-");
    }

    [Fact]
    public async Task PartialObjectMetadata_request_gets_metadata_only()
    {
        var maps = await MapsAsync();
        (await _api.PostAsync(maps, Map("a"))).ShouldBe(201);

        var list = (await _api.GetAsync(maps, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")).ShouldBe(200);

        list.TextAt("kind").Should().Be("PartialObjectMetadataList");
        list.TextAt("items.0.kind").Should().Be("PartialObjectMetadata");
        list.At("items.0.data").Should().BeNull();
        (await _api.GetAsync(maps, "text/html")).ShouldBe(406);
    }

    [Fact]
    public async Task Json_patch_can_test_kind_and_apiVersion()
    {
        var maps = await MapsAsync();
        (await _api.PostAsync(maps, Map("a"))).ShouldBe(201);

        (
            await _api.SendAsync(
                HttpMethod.Patch,
                $"{maps}/a",
                """[{"op":"test","path":"/kind","value":"ConfigMap"},{"op":"test","path":"/apiVersion","value":"v1"}]""",
                "application/json-patch+json"
            )
        ).ShouldBe(200);
    }

    [Fact]
    public async Task Secret_accepts_stringData_and_has_an_immutable_type()
    {
        var secrets = (await MapsAsync()).Replace("configmaps", "secrets");
        var created = (await _api.PostAsync(secrets, """{"metadata":{"name":"s"},"stringData":{"a":"b"}}""")).ShouldBe(201);
        created.TextAt("data.a").Should().Be("Yg==");
        created.At("stringData").Should().BeNull();
        created.TextAt("type").Should().Be("Opaque");

        (await _api.MergeAsync($"{secrets}/s", """{"type":"other"}"""))
            .ShouldBe(422)
            .Message.Should()
            .Contain("type: Invalid value: \"other\": field is immutable");
        (await _api.PostAsync(secrets, """{"metadata":{"name":"t"},"data":{"a":"not base64!"}}"""))
            .ShouldBe(400)
            .Message.Should()
            .Contain("illegal base64 data at input byte");
    }

    [Fact]
    public async Task Invalid_Deployment_is_rejected()
    {
        var deployments = $"/apis/apps/v1/namespaces/{await _api.NamespaceAsync()}/deployments";

        var reply = (
            await _api.PostAsync(
                deployments,
                """{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"c"}}"""
                    + ""","spec":{"containers":[{"name":"x"}]}}}}"""
            )
        ).ShouldBe(422);

        reply
            .Message.Should()
            .Be(
                "Deployment.apps \"d\" is invalid: [spec.template.metadata.labels: Invalid value: {\"a\":\"c\"}: `selector` does "
                    + "not match template `labels`, spec.template.spec.containers[0].image: Required value]"
            );
    }

    [Fact]
    public async Task KubernetesClient_round_trips_an_object()
    {
        using var client = fixture.Cluster.CreateClient("object-tests");
        var ns = await _api.NamespaceAsync();
        var lease = await k8s.CoordinationV1OperationsExtensions.CreateNamespacedLeaseAsync(
            client.CoordinationV1,
            new k8s.Models.V1Lease
            {
                Metadata = new k8s.Models.V1ObjectMeta { Name = "l" },
                Spec = new k8s.Models.V1LeaseSpec
                {
                    HolderIdentity = "me",
                    RenewTime = new DateTime(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc),
                },
            },
            ns
        );

        lease.Spec.RenewTime.Should().Be(new DateTime(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc));
        fixture.Cluster.Requests.Count(request => request.UserAgent == "object-tests").Should().Be(1);
    }

    private async Task<string> MapsAsync() => $"/api/v1/namespaces/{await _api.NamespaceAsync()}/configmaps";

    private static string Map(string name) => $$$"""{"metadata":{"name":"{{{name}}}"},"data":{"k":"v"} }""";
}
