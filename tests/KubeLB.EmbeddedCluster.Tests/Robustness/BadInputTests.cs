using System.Net.Sockets;
using System.Text;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Robustness;

public sealed class BadInputTests : IAsyncLifetime, IDisposable
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;

    public async Task InitializeAsync()
    {
        _cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        _api = new Api(_cluster);
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

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
    [InlineData("{}", "text/html", 415)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"labels\":{\"a b\":\"c\"}}}", "application/json", 422)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"labels\":{\"a\":\"-\"}}}", "application/json", 422)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"finalizers\":[\"b d\"]}}", "application/json", 422)]
    [InlineData("{\"metadata\":{\"name\":\"a\",\"ownerReferences\":[{}]}}", "application/json", 422)]
    public async Task A_body_that_makes_no_sense_is_answered_with_a_Status(string body, string type, int status)
    {
        var reply = await _api.SendAsync(HttpMethod.Post, Maps, body, type);

        reply.ShouldBe(status).TextAt("kind").Should().Be("Status");
        reply.Message.Should().NotBeNullOrEmpty();
    }

    [Fact]
    public async Task Yaml_is_read_as_well()
    {
        var reply = await _api.SendAsync(HttpMethod.Post, Maps, "metadata:\n  name: y\ndata:\n  a: \"1\"\n  b: text\n", "application/yaml");

        reply.ShouldBe(201).TextAt("data.b").Should().Be("text");
        (await _api.GetAsync($"{Maps}/y", "application/yaml")).Text.Should().Contain("data:\n  a: \"1\"\n  b: text\n");
    }

    [Fact]
    public async Task Deep_nesting_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 100_000));

        (await _api.PostAsync(Maps, deep)).ShouldBe(400).Message.Should().Contain("exceeded max depth");
        (await _api.SendAsync(HttpMethod.Post, Maps, string.Concat(Enumerable.Repeat("[", 100_000)), "application/yaml")).ShouldBe(400);
    }

    [Fact]
    public async Task A_body_of_20_MB_is_too_large()
    {
        var reply = await _api.PostAsync(Maps, $$$"""{"metadata":{"name":"big"},"data":{"a":"{{{new string('x', 20 * 1024 * 1024)}}}"} }""");

        reply.ShouldBe(413).Message.Should().Be("Request entity too large: limit is 3145728");
    }

    [Theory]
    [InlineData("POST", "/api/v1/namespaces/default/configmaps/a")]
    [InlineData("PUT", "/api/v1/namespaces/default/configmaps")]
    [InlineData("OPTIONS", "/api/v1/namespaces/default/configmaps")]
    [InlineData("BREW", "/api/v1/namespaces/default/configmaps")]
    [InlineData("DELETE", "/api/v1/namespaces/default/pods/a/status")]
    [InlineData("DELETE", "/api/v1/namespaces")]
    public async Task A_verb_that_there_is_not_is_a_405(string method, string path) =>
        (await _api.SendAsync(new HttpMethod(method), path, method is "PUT" or "POST" ? "{}" : null, "application/json")).ShouldBe(405).Reason.Should().Be("MethodNotAllowed");

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/api/v2")]
    [InlineData("/api/v1/namespaces/default/unknowns")]
    [InlineData("/api/v1/namespaces/default/pods/a/unknown")]
    [InlineData("/api/v1/namespaces/default/nodes")]
    [InlineData("/apis/apps/v1/namespaces/default/deployments/a/b/c/d")]
    public async Task A_path_that_there_is_not_is_a_404(string path) => (await _api.GetAsync(path)).ShouldBe(404);

    [Theory]
    [InlineData("limit=2&continue=%00")]
    [InlineData("labelSelector=a%3D%3D%3Db")]
    [InlineData("labelSelector=a+in+(")]
    [InlineData("labelSelector=%21")]
    [InlineData("labelSelector=a%2Cb%2C")]
    [InlineData("fieldSelector=x")]
    [InlineData("fieldSelector=spec.x%3D1")]
    public async Task A_query_that_makes_no_sense_is_a_400(string query) => (await _api.GetAsync($"{Maps}?{query}")).ShouldBe(400).Reason.Should().Be("BadRequest");

    [Theory]
    [InlineData("resourceVersion=abc", 422)]
    [InlineData("resourceVersionMatch=Exact", 422)]
    [InlineData("resourceVersion=99999", 504)]
    [InlineData("watch=1&resourceVersion=-1", 422)]
    [InlineData("watch=1&sendInitialEvents=true", 422)]
    public async Task A_version_that_makes_no_sense_is_refused(string query, int status) => (await _api.GetAsync($"{Maps}?{query}")).ShouldBe(status);

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
    [InlineData("application/apply-patch+yaml", "{}", 415)]
    public async Task A_patch_that_makes_no_sense_is_refused(string type, string patch, int status)
    {
        (await _api.PostAsync(Maps, """{"metadata":{"name":"p"}}""")).ShouldBe(201);

        (await _api.SendAsync(HttpMethod.Patch, $"{Maps}/p", patch, type)).ShouldBe(status).TextAt("kind").Should().Be("Status");
    }

    [Fact]
    public async Task Half_open_connections_do_not_hinder_others()
    {
        var sockets = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 50; i++)
            {
                var socket = new TcpClient();
                await socket.ConnectAsync(_cluster.Url.Host, _cluster.Url.Port);
                await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {Maps} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{"));
                sockets.Add(socket);
            }
            (await _api.GetAsync("/readyz")).ShouldBe(200);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Two_thousand_idle_watches_do_not_hinder_a_write()
    {
        var watches = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(_ => _api.WatchAsync($"{Maps}?watch=1")));
        try
        {
            (await _api.PostAsync(Maps, """{"metadata":{"name":"seen"}}""")).ShouldBe(201);

            (await Task.WhenAll(watches.Select(watch => watch.NextNameAsync()))).Should().OnlyContain(name => name == "ADDED seen");
        }
        finally
        {
            foreach (var watch in watches)
            {
                watch.Dispose();
            }
        }
    }
}
