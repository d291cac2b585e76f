using KubeLB.EmbeddedCluster.Tests.Support;
using KubeLB.EmbeddedCluster.Tests.Units;

namespace KubeLB.EmbeddedCluster.Tests.Robustness;

public sealed class BadInputTests : IAsyncLifetime, IDisposable
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        _api = new Api(_cluster);
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    public void Dispose() => _api.Dispose();

    [Theory]
    [InlineData("{", "application/json", 400)]
    [InlineData("", "application/json", 400)]
    [InlineData("[]", "application/json", 400)]
    [InlineData("null", "application/json", 400)]
    [InlineData("{} {}", "application/json", 400)]
    [InlineData("{\"metadata\":[]}", "application/json", 400)]
    [InlineData("{\"metadata\":{\"name\":5}}", "application/json", 400)]
    [InlineData("{\"metadata\":{\"labels\":\"x\"}}", "application/json", 400)]
    [InlineData("{\"data\":{\"a\":1}}", "application/json", 400)]
    [InlineData("a: [", "application/yaml", 400)]
    [InlineData("- a", "application/yaml", 400)]
    [InlineData("kind: 1e400", "application/yaml", 400)]
    [InlineData("k8s\0garbage", "application/vnd.kubernetes.protobuf", 400)]
    [InlineData("x", "application/vnd.kubernetes.protobuf", 400)]
    [InlineData("k8s\0\n\u0004\n\u0002v1\u0012\u007f", "application/vnd.kubernetes.protobuf", 400)]
    [InlineData("k8s\0\n\u000f\n\u0002v1\u0012\tConfigMap\u0012\u0003\n\u0001\u0008", "application/vnd.kubernetes.protobuf", 400)]
    [InlineData("k8s\0\n\u000b\n\u0002v1\u0012\u0005Thing\u0012\u0000", "application/vnd.kubernetes.protobuf", 400)]
    [InlineData("{}", "text/html", 415)]
    [InlineData("{}", "multipart/form-data; boundary=x", 415)]
    [InlineData("{}", "application/merge-patch+json", 415)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"labels\":{\"a b\":\"c\"}}}", "application/json", 422)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"labels\":{\"a\":\"-\"}}}", "application/json", 422)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"finalizers\":[\"b d\"]}}", "application/json", 422)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"ownerReferences\":[{}]}}", "application/json", 422)]
    [Trait("Threat", "api-requests")]
    public async Task Invalid_body_gets_a_Status(string body, string type, int status)
    {
        var reply = await _api.SendAsync(HttpMethod.Post, Maps, body, type);

        reply.ShouldBe(status).TextAt("kind").Should().Be("Status");
        reply.Message.Should().NotBeNullOrEmpty();
    }

    [Fact]
    public async Task YAML_body_is_accepted()
    {
        var reply = await _api.SendAsync(HttpMethod.Post, Maps, "metadata:\n  name: y\ndata:\n  a: \"1\"\n  b: text\n", "application/yaml");

        reply.ShouldBe(201).TextAt("data.b").Should().Be("text");
        (await _api.GetAsync($"{Maps}/y", "application/yaml")).Text.Should().Contain("data:\n  a: \"1\"\n  b: text\n");
    }

    [Theory]
    [MemberData(nameof(YamlAliasTests.Bombs), MemberType = typeof(YamlAliasTests))]
    [Trait("Threat", "yaml-aliases")]
    public async Task Excessive_YAML_aliases_are_rejected_in_time(string kind)
    {
        var bomb = YamlAliasTests.Bomb(kind);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        foreach (
            var (method, path, type) in new[]
            {
                (HttpMethod.Post, Maps, "application/yaml"),
                (HttpMethod.Put, $"{Maps}/a", "application/yaml"),
                (HttpMethod.Patch, $"{Maps}/a?fieldManager=m", "application/apply-patch+yaml"),
            }
        )
        {
            var reply = await _api.SendAsync(method, path, bomb, type).WaitAsync(deadline.Token);
            reply.ShouldBe(400).Message.Should().Contain("error converting YAML to JSON: yaml: document contains excessive aliasing");
        }
    }

    [Fact]
    [Trait("Threat", "api-requests")]
    public async Task Deep_nesting_is_rejected()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 100_000));

        (await _api.PostAsync(Maps, deep)).ShouldBe(400).Message.Should().Contain("exceeded max depth");
        (await _api.SendAsync(HttpMethod.Post, Maps, string.Concat(Enumerable.Repeat("[", 100_000)), "application/yaml")).ShouldBe(400);
    }

    [Fact]
    public async Task Allowed_nesting_in_a_definition_is_accepted()
    {
        const int Levels = 200;
        var schema =
            string.Concat(Enumerable.Repeat("""{"type":"object","properties":{"a":""", Levels))
            + """{"type":"string","enum":["x"]}"""
            + new string('}', 2 * Levels);
        (
            await _api.PostAsync(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                $$$"""
                {"metadata":{"name":"deeps.example.com"},"spec":{"group":"example.com","scope":"Cluster","names":{"plural":"deeps",
                  "kind":"Deep"},
                 "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{{{schema}}} }}]}}
                """
            )
        ).ShouldBe(201);
        string Object(string name, string leaf) =>
            $$$"""{"apiVersion":"example.com/v1","kind":"Deep","metadata":{"name":"{{{name}}}"},"""
            + string.Concat(Enumerable.Repeat("\"a\":{", Levels - 1))
            + $"\"a\":\"{leaf}\""
            + new string('}', Levels);

        (await _api.PostAsync("/apis/example.com/v1/deeps", Object("good", "x"))).ShouldBe(201);
        (await _api.PostAsync("/apis/example.com/v1/deeps", Object("bad", "y")))
            .ShouldBe(422)
            .Message.Should()
            .Contain("a.a.a")
            .And.Contain("Unsupported value: \"y\"");
        (await _api.GetAsync("/openapi/v3/apis/example.com/v1")).ShouldBe(200);
        (await _api.GetAsync("/apis/example.com/v1/deeps", "application/yaml")).ShouldBe(200);
        (await _api.MergeAsync("/apis/example.com/v1/deeps/good", """{"metadata":{"labels":{"a":"b"}}}""")).ShouldBe(200);
    }

    [Fact]
    [Trait("Threat", "api-patches")]
    public async Task Deep_nesting_in_definitions_and_patches_is_rejected()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"type":"object","properties":{"a":""", 400)) + "{}" + new string('}', 800);
        (await _api.PostAsync(Maps, """{"metadata":{"name":"p"}}""")).ShouldBe(201);

        (await _api.PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", deep))
            .ShouldBe(400)
            .Message.Should()
            .Contain("exceeded max depth");
        foreach (var type in new[] { "application/merge-patch+json", "application/strategic-merge-patch+json" })
        {
            (await _api.SendAsync(HttpMethod.Patch, $"{Maps}/p", deep, type)).ShouldBe(400).TextAt("kind").Should().Be("Status");
        }
        (
            await _api.SendAsync(
                HttpMethod.Patch,
                $"{Maps}/p",
                $$"""[{"op":"add","path":"/data","value":{{deep}}}]""",
                "application/json-patch+json"
            )
        ).ShouldBe(400);
    }

    [Fact]
    public async Task Deep_invalid_value_is_reported()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 200)) + "1" + new string('}', 200);
        (
            await _api.PostAsync(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                """
                {"metadata":{"name":"frees.example.com"},"spec":{"group":"example.com","scope":"Cluster","names":{"plural":"frees",
                  "kind":"Free"},
                 "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":
                  {"type":"object","properties":{"free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,
                    "minProperties":2}}}}}]}}
                """
            )
        ).ShouldBe(201);

        var reply = await _api.PostAsync(
            "/apis/example.com/v1/frees",
            $$"""{"apiVersion":"example.com/v1","kind":"Free","metadata":{"name":"f"},"free":{{deep}}}"""
        );

        reply.ShouldBe(422).Message.Should().Contain("should have at least 2 properties");
    }

    [Fact]
    [Trait("Threat", "api-requests")]
    public async Task Random_protobuf_gets_a_Status()
    {
        var random = new Random(7);
        for (var i = 0; i < 500; i++)
        {
            var body = new byte[4 + random.Next(200)];
            random.NextBytes(body);
            "k8s\0"u8.CopyTo(body);
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/vnd.kubernetes.protobuf");
            using var response = await _api.Http.PostAsync(Maps, content);

            ((int)response.StatusCode).Should().Be(400, Convert.ToHexString(body));
            (await response.Content.ReadAsStringAsync()).Should().Contain("\"kind\":\"Status\"");
        }
    }

    [Fact]
    [Trait("Threat", "api-requests")]
    public async Task Body_of_20_MB_gets_413()
    {
        var reply = await _api.PostAsync(
            Maps,
            $$$"""{"metadata":{"name":"big"},"data":{"a":"{{{new string('x', 20 * 1024 * 1024)}}}"} }"""
        );

        reply.ShouldBe(413).Message.Should().Be("Request entity too large: limit is 3145728");
        reply.TextAt("kind").Should().Be("Status");
    }

    [Fact]
    [Trait("Threat", "api-requests")]
    public async Task Chunked_body_of_20_MB_gets_413()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Maps)
        {
            Content = new StringContent(new string('x', 20 * 1024 * 1024)),
        };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = true;
        request.Headers.ExpectContinue = true;

        using var response = await _api.Http.SendAsync(request);

        ((int)response.StatusCode).Should().Be(413);
    }

    [Theory]
    [InlineData("copy")]
    [InlineData("add")]
    [Trait("Threat", "api-patches")]
    public async Task JSON_Patch_that_nests_values_is_rejected(string op)
    {
        (await _api.PostAsync(Maps, """{"metadata":{"name":"p"},"data":{"a":"b"}}""")).ShouldBe(201);
        var operations = string.Join(
            ',',
            op == "copy"
                ? Enumerable.Repeat("""{"op":"copy","from":"/data","path":"/data/a"}""", 9_000)
                : Enumerable
                    .Range(1, 1_000)
                    .Select(i => $$$"""{"op":"add","path":"/data{{{string.Concat(Enumerable.Repeat("/a", i))}}}","value":{"a":[]}}""")
        );

        (await _api.SendAsync(HttpMethod.Patch, $"{Maps}/p", $"[{operations}]", "application/json-patch+json"))
            .Status.Should()
            .BeInRange(400, 499);
    }

    [Theory]
    [InlineData(20_000, 0, 414)]
    [InlineData(0, 64_000, 431)]
    [Trait("Threat", "api-requests")]
    public async Task Oversized_URL_or_header_is_rejected(int url, int header, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Maps}?labelSelector={new string('a', url)}");
        request.Headers.Add("X-Large", new string('a', header));

        using var response = await _api.Http.SendAsync(request);

        ((int)response.StatusCode).Should().Be(status);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [Trait("Threat", "api-requests")]
    public async Task Compressed_body_is_not_decompressed(string encoding)
    {
        using var content = new ByteArrayContent([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        content.Headers.ContentType = new("application/json");
        content.Headers.ContentEncoding.Add(encoding);

        using var response = await _api.Http.PostAsync(Maps, content);

        ((int)response.StatusCode).Should().BeInRange(400, 499);
    }

    [Fact]
    [Trait("Threat", "api-patches")]
    public async Task JSON_Patch_with_more_than_10_000_operations_gets_413()
    {
        (await _api.PostAsync(Maps, """{"metadata":{"name":"p"}}""")).ShouldBe(201);
        var operations = string.Join(',', Enumerable.Repeat("""{"op":"add","path":"/data","value":{}}""", 10_001));

        (await _api.SendAsync(HttpMethod.Patch, $"{Maps}/p", $"[{operations}]", "application/json-patch+json")).ShouldBe(413);
    }

    [Theory]
    [InlineData("POST", "/api/v1/namespaces/default/configmaps/a")]
    [InlineData("PUT", "/api/v1/namespaces/default/configmaps")]
    [InlineData("OPTIONS", "/api/v1/namespaces/default/configmaps")]
    [InlineData("BREW", "/api/v1/namespaces/default/configmaps")]
    [InlineData("DELETE", "/api/v1/namespaces/default/pods/a/status")]
    [InlineData("DELETE", "/api/v1/namespaces")]
    public async Task Unsupported_method_gets_405(string method, string path) =>
        (await _api.SendAsync(new HttpMethod(method), path, method is "PUT" or "POST" ? "{}" : null, "application/json"))
            .ShouldBe(405)
            .Reason.Should()
            .Be("MethodNotAllowed");

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/api/v2")]
    [InlineData("/api/v1/namespaces/default/unknowns")]
    [InlineData("/api/v1/namespaces/default/pods/a/unknown")]
    [InlineData("/api/v1/namespaces/default/nodes")]
    [InlineData("/apis/apps/v1/namespaces/default/deployments/a/b/c/d")]
    public async Task Unknown_path_gets_404(string path) => (await _api.GetAsync(path)).ShouldBe(404);

    [Theory]
    [InlineData("limit=2&continue=%00")]
    [InlineData("labelSelector=a%3D%3D%3Db")]
    [InlineData("labelSelector=a+in+(")]
    [InlineData("labelSelector=%21")]
    [InlineData("labelSelector=a%2Cb%2C")]
    [InlineData("fieldSelector=x")]
    [InlineData("fieldSelector=spec.x%3D1")]
    public async Task Invalid_query_gets_400(string query) =>
        (await _api.GetAsync($"{Maps}?{query}")).ShouldBe(400).Reason.Should().Be("BadRequest");

    [Theory]
    [InlineData("resourceVersion=abc", 422)]
    [InlineData("resourceVersionMatch=Exact", 422)]
    [InlineData("resourceVersion=99999", 504)]
    [InlineData("watch=1&resourceVersion=-1", 422)]
    [InlineData("watch=1&sendInitialEvents=true", 422)]
    public async Task Invalid_resourceVersion_is_rejected(string query, int status) =>
        (await _api.GetAsync($"{Maps}?{query}")).ShouldBe(status);

    [Theory]
    [InlineData("application/merge-patch+json", "[]", 400)]
    [InlineData("application/merge-patch+json", "{\"data\":[]}", 400)]
    [InlineData("application/merge-patch+json", "{\"kind\":\"Secret\"}", 400)]
    [InlineData("application/merge-patch+json", "{\"metadata\":{\"name\":\"other\"}}", 400)]
    [InlineData("application/json-patch+json", "{}", 400)]
    [InlineData("application/json-patch+json", "[1]", 400)]
    [InlineData("application/json-patch+json", "[{\"op\":\"remove\",\"path\":\"/nope\"}]", 422)]
    [InlineData("application/json-patch+json", "[{\"op\":\"replace\",\"path\":\"\",\"value\":1}]", 422)]
    [InlineData("application/json-patch+json", "[{\"op\":\"fly\",\"path\":\"/a\"}]", 422)]
    [InlineData("application/strategic-merge-patch+json", "{\"$patch\":\"explode\"}", 400)]
    [InlineData("application/apply-patch+yaml", "{}", 422)]
    [InlineData("application/apply-patch+cbor", "{}", 415)]
    [Trait("Threat", "api-patches")]
    public async Task Invalid_patch_is_rejected(string type, string patch, int status)
    {
        (await _api.PostAsync(Maps, """{"metadata":{"name":"p"}}""")).ShouldBe(201);

        (await _api.SendAsync(HttpMethod.Patch, $"{Maps}/p", patch, type)).ShouldBe(status).TextAt("kind").Should().Be("Status");
    }
}
