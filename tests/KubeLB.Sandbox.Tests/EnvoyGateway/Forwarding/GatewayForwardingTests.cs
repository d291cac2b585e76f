using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KubeLB.Sandbox.Tests.Support;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Forwarding;

public sealed class GatewayForwardingTests : IAsyncLifetime
{
    private const string OwnResponseHeader = "x-sandbox-response-of";
    private const string Http80 = "[{name: http, protocol: HTTP, port: 80}]";
    private GatewayFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await GatewayFixture.StartAsync();

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Path_is_normalized_and_query_is_forwarded_unchanged()
    {
        await _fixture.AddPodAsync("web");
        await _fixture.ServeAsync(Http80, Route("backendRefs: [{name: web, port: 80}]"));

        var seen = await Http.EchoAsync(_fixture.At(80), "//a/b//c%20d?x=%2F&y=1+2");

        seen.Path.Should().Be("/a/b/c%20d");
        seen.Query.Should().Be("?x=%2F&y=1+2");
        seen.Headers["x-forwarded-for"].Should().ContainSingle().Which.Should().NotBeEmpty();
        seen.Headers["x-request-id"].Should().ContainSingle().Which.Should().NotBeEmpty();
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Port_accepts_HTTP_1_and_2_and_forwards_HTTP_1(string version)
    {
        await _fixture.AddPodAsync("web");
        await _fixture.ServeAsync(Http80, Route("backendRefs: [{name: web, port: 80}]"));

        (await Http.EchoAsync(_fixture.At(80), version: Version.Parse(version))).Protocol.Should().Be("HTTP/1.1");
    }

    [Fact]
    public async Task Request_body_is_forwarded()
    {
        await _fixture.AddPodAsync("web");
        await _fixture.ServeAsync(Http80, Route("backendRefs: [{name: web, port: 80}]"));

        var seen = await Http.EchoAsync(
            _fixture.At(80),
            configure: r =>
            {
                r.Method = HttpMethod.Post;
                r.Content = new ByteArrayContent(new byte[3_000_000]);
            }
        );

        seen.BodyLength.Should().Be(3_000_000);
    }

    [Fact]
    public async Task WebSocket_is_forwarded()
    {
        await _fixture.AddPodAsync("web");
        await _fixture.ServeAsync(Http80, Route("backendRefs: [{name: web, port: 80}]"));
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_fixture.At(80)}/chat"), CancellationToken.None);
        await socket.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Binary, true, CancellationToken.None);

        var buffer = new byte[16];
        (await socket.ReceiveAsync(buffer, CancellationToken.None)).Count.Should().Be(4);
    }

    [Theory]
    [InlineData("gone", HttpStatusCode.InternalServerError)]
    [InlineData("empty", HttpStatusCode.ServiceUnavailable)]
    [InlineData("dead", HttpStatusCode.ServiceUnavailable)]
    public async Task Request_without_backend_gets_the_response_of_Envoy(string service, HttpStatusCode status)
    {
        _fixture.AddService("empty", null);
        _fixture.AddService("dead", new IPEndPoint(IPAddress.Parse("127.0.0.1"), 1));
        await _fixture.ServeAsync(Http80, Route($"backendRefs: [{{name: {service}, port: 80}}]"));

        using var response = await Http.SendAsync(_fixture.At(80));

        response.StatusCode.Should().Be(status);
        response.Headers.GetValues(OwnResponseHeader).Should().Equal("envoy-gateway");
    }

    [Theory]
    [InlineData("gone", "2")]
    [InlineData("empty", "14")]
    [InlineData("dead", "14")]
    public async Task GRPC_call_without_backend_gets_the_response_of_Envoy(string service, string status)
    {
        _fixture.AddService("empty", null);
        _fixture.AddService("dead", new IPEndPoint(IPAddress.Parse("127.0.0.1"), 1));
        await _fixture.ServeAsync(Http80, Route($"backendRefs: [{{name: {service}, port: 80}}]"));

        using var response = await Http.SendAsync(
            _fixture.At(80),
            configure: r =>
            {
                r.Method = HttpMethod.Post;
                r.Content = new ByteArrayContent([]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };
            }
        );

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        response.Headers.GetValues("grpc-status").Should().Equal(status);
        response.Headers.GetValues(OwnResponseHeader).Should().Equal("envoy-gateway");
    }

    [Fact]
    public async Task Error_of_a_backend_is_not_marked_as_that_of_the_gateway()
    {
        await _fixture.AddPodAsync("web");
        await _fixture.ServeAsync(Http80, Route("backendRefs: [{name: web, port: 80}]"));

        using var response = await Http.SendAsync(_fixture.At(80), configure: r => r.Headers.Add("x-echo-status", "503"));

        response.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        response.Headers.Contains(OwnResponseHeader).Should().BeFalse();
    }

    [Fact]
    public async Task Backend_after_timeout_results_in_504()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        _fixture.AddService("slow", (IPEndPoint)silent.LocalEndpoint);
        await _fixture.ServeAsync(
            Http80,
            Route("backendRefs: [{name: slow, port: 80}]\n      timeouts: {request: 10s, backendRequest: 100ms}")
        );

        using var response = await Http.SendAsync(_fixture.At(80));

        response.StatusCode.Should().Be(HttpStatusCode.GatewayTimeout);
        response.Headers.GetValues(OwnResponseHeader).Should().Equal("envoy-gateway");
    }

    [Fact]
    public async Task Header_value_that_Envoy_rejects_keeps_the_last_routes_of_the_port()
    {
        await _fixture.AddPodAsync("web");
        var route = Route("backendRefs: [{name: web, port: 80}]");
        await _fixture.ServeAsync(Http80, route);

        await _fixture.ServeAsync(
            Http80,
            Route("filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-a, value: '100%'}]}}]")
        );

        (await Http.EchoAsync(_fixture.At(80))).Path.Should().Be("/");
        await _fixture.ServeAsync(
            Http80,
            Route(
                "filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-a, value: '100%%'}]}}]\n      "
                    + "backendRefs: [{name: web, port: 80}]"
            )
        );
        using var response = await Http.SendAsync(_fixture.At(80));
        response.Headers.GetValues("x-a").Should().Equal("100%");
    }

    [Fact]
    public async Task Escaped_slashes_are_redirected()
    {
        await _fixture.ServeAsync(Http80, Route("backendRefs: [{name: web, port: 80}]"));

        using var response = await Http.SendAsync(_fixture.At(80), "/a%2Fb?x=%2F");

        response.StatusCode.Should().Be(HttpStatusCode.TemporaryRedirect);
        response.Headers.Location!.OriginalString.Should().Be("/a/b?x=%2F");
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirect_needs_no_backend(int status)
    {
        await _fixture.ServeAsync(
            Http80,
            Route($"filters: [{{type: RequestRedirect, requestRedirect: {{scheme: https, statusCode: {status}}}}}]")
        );

        using var response = await Http.SendAsync(_fixture.At(80), "/p?q=1", "api.example.com");

        response.StatusCode.Should().Be((HttpStatusCode)status);
        response.Headers.Location!.OriginalString.Should().Be("https://api.example.com/p?q=1");
        response.Headers.Contains(OwnResponseHeader).Should().BeFalse();
    }

    [Fact]
    public async Task Mirror_gets_a_copy_and_its_response_is_ignored()
    {
        using var mirror = new TcpListener(IPAddress.Loopback, 0);
        mirror.Start();
        await _fixture.AddPodAsync("web");
        _fixture.AddService("copy", (IPEndPoint)mirror.LocalEndpoint);
        await _fixture.ServeAsync(
            Http80,
            Route(
                "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: copy, port: 80}}}]\n      backendRefs: [{name: "
                    + "web, port: 80}]"
            )
        );

        var seen = await Http.EchoAsync(
            _fixture.At(80),
            "/mirrored",
            "api.example.com",
            configure: r =>
            {
                r.Method = HttpMethod.Post;
                r.Content = new StringContent("hello");
            }
        );
        seen.Body.Should().Be("hello");

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var copy = await mirror.AcceptTcpClientAsync(deadline.Token);
        using var reader = new StreamReader(copy.GetStream());
        (await reader.ReadLineAsync(deadline.Token)).Should().Be("POST /mirrored HTTP/1.1");
        var headers = new List<string>();
        while (await reader.ReadLineAsync(deadline.Token) is { Length: > 0 } header)
        {
            headers.Add(header);
        }

        headers.Should().Contain("Host: api.example.com-shadow");
    }

    [Fact]
    public async Task Tls_listeners_are_selected_by_server_name()
    {
        _fixture.AddCertificate("a", Certificate("a.example.com"));
        _fixture.AddCertificate("wild", Certificate("*.example.com"));
        await _fixture.AddPodAsync("web");
        await _fixture.ServeAsync(
            "[{name: a, protocol: HTTPS, port: 443, hostname: a.example.com, tls: {certificateRefs: [{name: a}]}}, "
                + "{name: wild, protocol: HTTPS, port: 443, hostname: '*.example.com', tls: {certificateRefs: [{name: wild}]}}]",
            Route("backendRefs: [{name: web, port: 80}]")
        );

        (await HandshakeAsync("a.example.com")).Should().Be(("CN=a.example.com", "h2"));
        (await HandshakeAsync("b.example.com")).Should().Be(("CN=*.example.com", "h2"));
        var unknown = () => HandshakeAsync("example.org");
        await unknown.Should().ThrowAsync<Exception>();

        using var handler = new SocketsHttpHandler
        {
            SslOptions = { TargetHost = "a.example.com", RemoteCertificateValidationCallback = IsOurs },
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{_fixture.At(443)}/");
        request.Headers.Host = "a.example.com";
        using var response = await client.SendAsync(request);
        var seen = KubeLB.Sandbox.Pods.EchoResponder.Parse(await response.Content.ReadAsStringAsync());
        seen.Headers["x-forwarded-proto"].Should().Equal("https");
    }

    [Fact]
    public async Task Removed_listener_is_closed_and_the_others_continue()
    {
        await _fixture.AddPodAsync("web");
        var route = Route("backendRefs: [{name: web, port: 80}]");
        await _fixture.ServeAsync("[{name: one, protocol: HTTP, port: 8001}, {name: two, protocol: HTTP, port: 8002}]", route);
        var one = _fixture.At(8001);

        await _fixture.ServeAsync("[{name: two, protocol: HTTP, port: 8002}]", route);

        _fixture.IsServed(8001).Should().BeFalse();
        var send = () => Http.SendAsync(one);
        await send.Should().ThrowAsync<HttpRequestException>();
        (await Http.EchoAsync(_fixture.At(8002))).Pod.Should().Be("web-pod");
    }

    private static string Route(string rule) =>
        $"""
            metadata: {"{"}name: r, namespace: default{"}"}
            spec:
              parentRefs: [{"{"}name: gw{"}"}]
              rules:
                - {rule}
            """;

    private async Task<(string Subject, string Protocol)> HandshakeAsync(string serverName)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_fixture.At(443));
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = serverName,
                RemoteCertificateValidationCallback = IsOurs,
                ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            }
        );
        return (tls.RemoteCertificate!.Subject, tls.NegotiatedApplicationProtocol.ToString());
    }

    private static bool IsOurs(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.Subject.EndsWith("example.com", StringComparison.Ordinal) == true;

    private static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return Sandbox.EnvoyGateway.Forwarding.CertificateTable.Read(
            new Dictionary<string, byte[]>
            {
                ["tls.crt"] = System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()),
                ["tls.key"] = System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()),
            }
        )!;
    }
}
