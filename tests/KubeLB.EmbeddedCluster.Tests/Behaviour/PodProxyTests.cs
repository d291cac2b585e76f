using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

/// <summary>The subresource proxy of pods. The option resolves pods of 10.0.0.0/8 to a server of this process.</summary>
public sealed class PodProxyTests : IAsyncLifetime
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    private WebApplication _pod = null!;
    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;
    private IPEndPoint _server = null!;
    private IPEndPoint _closed = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _pod = builder.Build();
        _pod.Run(EchoAsync);
        await _pod.StartAsync();
        var address = _pod.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        _server = new IPEndPoint(IPAddress.Loopback, new Uri(address).Port);
        _closed = ClosedPort();
        _cluster = await EmbeddedCluster.StartAsync(
            new EmbeddedClusterOptions
            {
                PodEndPoints = request =>
                    request.Pod == "simulated" ? throw new PodUnreachableException("simulated")
                    : request.EndPoint.Port == 9 ? _closed
                    : _server,
            }
        );
        _api = new Api(_cluster);
        await CreateAsync("web", "10.1.2.3", 8080);
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _cluster.DisposeAsync();
        await _pod.DisposeAsync();
    }

    [Theory]
    [InlineData("web")]
    [InlineData("web:8080")]
    [InlineData("http:web:8080")]
    [InlineData(":web:")]
    public async Task Request_is_forwarded_with_path_query_and_body(string target)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{Pods}/{target}/proxy/a%2Fb//c?x=%20y&watch=true");
        request.Content = new StringContent("the body");
        request.Headers.Add("X-Test", "kept");
        request.Headers.Add("Impersonate-User", "other");
        request.Headers.Add("Impersonate-Group", "system:masters");

        using var response = await _api.Http.SendAsync(request);

        response.StatusCode.Should().Be((HttpStatusCode)418);
        response.Headers.GetValues("X-Pod").Should().Equal("here");
        var echo = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        ((string?)echo["method"]).Should().Be("PUT");
        ((string?)echo["target"]).Should().Be("/a%2Fb//c?x=%20y&watch=true");
        ((string?)echo["body"]).Should().Be("the body");
        ((string?)echo["X-Test"]).Should().Be("kept");
        ((string?)echo["X-Forwarded-Uri"]).Should().StartWith($"{Pods}/");
        echo["Authorization"].Should().BeNull("the pod must not receive the credentials of the user");
        echo["Impersonate-User"].Should().BeNull();
    }

    [Fact]
    public async Task Root_is_redirected_to_a_path()
    {
        using var handler = new HttpRequestMessage(HttpMethod.Get, $"{Pods}/web/proxy/");
        using var root = await _api.Http.SendAsync(handler);
        ((int)root.StatusCode).Should().Be(418);

        // HttpClient follows the redirect.
        using var followed = await _api.Http.GetAsync($"{Pods}/web/proxy?a=b");
        followed.RequestMessage!.RequestUri!.PathAndQuery.Should().Be($"{Pods}/web/proxy/?a=b");
    }

    [Fact]
    public async Task Pod_that_cannot_be_reached_returns_503()
    {
        var unreachable = (await _api.GetAsync($"{Pods}/web:9/proxy/metrics")).ShouldBe(503);
        unreachable.Reason.Should().Be("ServiceUnavailable");
        unreachable.Message.Should().Be("error trying to reach service: dial tcp 10.1.2.3:9: connect: connection refused");
        await CreateAsync("simulated", "10.1.2.4", 80);
        (await _api.GetAsync($"{Pods}/simulated/proxy/")).ShouldBe(503).Message.Should().Be("error trying to reach service: simulated");
        (await _api.GetAsync($"{Pods}/web:named/proxy/")).ShouldBe(503).Message.Should().Contain("unknown port");
    }

    [Fact]
    public async Task Invalid_requests_are_rejected()
    {
        await CreateAsync("pending", null, 80);
        (await _api.GetAsync($"{Pods}/pending/proxy/")).ShouldBe(400).Message.Should().Be("address not allowed");
        (await _api.GetAsync($"{Pods}/ftp:web:80/proxy/")).ShouldBe(400).Message.Should().Be("invalid pod request \"ftp:web:80\"");
        (await _api.GetAsync($"{Pods}/missing:80/proxy/")).ShouldBe(404).Message.Should().Be("pods \"missing\" not found");
        (await _api.GetAsync("/api/v1/namespaces/default/services/kubernetes/proxy/")).ShouldBe(404);
    }

    [Fact]
    public async Task Without_the_option_loopback_addresses_are_not_allowed()
    {
        await using var cluster = await EmbeddedCluster.StartAsync();
        using var api = new Api(cluster);
        await CreateAsync("local", "127.0.0.1", _server.Port, api);
        await CreateAsync("metadata", "169.254.169.254", 80, api);
        await CreateAsync("mapped", "::ffff:169.254.169.254", 80, api);

        (await api.GetAsync($"{Pods}/local/proxy/")).ShouldBe(400).Message.Should().Be("address not allowed");
        (await api.GetAsync($"{Pods}/metadata/proxy/")).ShouldBe(400).Message.Should().Be("address not allowed");
        (await api.GetAsync($"{Pods}/mapped/proxy/")).ShouldBe(400).Message.Should().Be("address not allowed");
    }

    [Theory]
    [InlineData("get", "pods", 403)]
    [InlineData("create", "pods/proxy", 403)]
    [InlineData("get", "pods/proxy", 418)]
    public async Task Permission_is_that_of_the_subresource(string verb, string resource, int expected)
    {
        var ns = await _api.NamespaceAsync();
        (await _api.PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts", """{"metadata":{"name":"user"}}""")).ShouldBe(201);
        (
            await _api.PostAsync(
                "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
                $$"""{"metadata":{"name":"{{ns}}"},"rules":[{"verbs":["{{verb}}"],"apiGroups":[""],"resources":["{{resource}}"]}]}"""
            )
        ).ShouldBe(201);
        (
            await _api.PostAsync(
                "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
                $$"""{"metadata":{"name":"{{ns}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"{{ns}}"}"""
                    + $$""","subjects":[{"kind":"ServiceAccount","name":"user","namespace":"{{ns}}"}]}"""
            )
        ).ShouldBe(201);
        var token = (await _api.PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts/user/token", """{"spec":{}}"""))
            .ShouldBe(201)
            .TextAt("status.token");
        using var user = new Api(_cluster, token);

        var reply = (await user.GetAsync($"{Pods}/web:8080/proxy/deep/path")).ShouldBe(expected);
        if (expected == 403)
        {
            reply.Message.Should().Contain("cannot get resource \"pods/proxy\" in API group \"\" in the namespace \"default\"");
        }
    }

    private static IPEndPoint ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var echo = new JsonObject
        {
            ["method"] = context.Request.Method,
            ["target"] = context.Features.Get<IHttpRequestFeature>()!.RawTarget,
            ["body"] = await body.ReadToEndAsync(),
        };
        foreach (var (name, value) in context.Request.Headers)
        {
            echo[name] = value.ToString();
        }
        context.Response.StatusCode = 418;
        context.Response.Headers["X-Pod"] = "here";
        await context.Response.WriteAsync(echo.ToJsonString());
    }

    private async Task CreateAsync(string name, string? address, int port, Api? api = null)
    {
        (
            await (api ?? _api).PostAsync(
                Pods,
                $$$"""
                {"metadata":{"name":"{{{name}}}"},"spec":{"containers":[{"name":"sidecar","image":"i"},
                {"name":"main","image":"i","ports":[{"containerPort":{{{port}}} }] }] } }
                """
            )
        ).ShouldBe(201);
        if (address is not null)
        {
            (await (api ?? _api).MergeAsync($"{Pods}/{name}/status", $$"""{"status":{"podIP":"{{address}}"} }""")).ShouldBe(200);
        }
    }
}
