using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Sandbox.Pods;

namespace KubeLB.Sandbox.Tests.Composition;

/// <summary>The documentation's other examples with stand-ins.</summary>
public sealed class DocumentationExamplesTests(SandboxFixture sandbox) : DocumentationExamples(sandbox), IClassFixture<SandboxFixture>;

/// <summary>The documentation's other examples with real Envoys.</summary>
public sealed class DocumentationExamplesOnEnvoyTests(EnvoySandboxFixture sandbox)
    : DocumentationExamples(sandbox),
        IClassFixture<EnvoySandboxFixture>;

/// <summary>The documentation's other examples, each with its own Gateway, end to end.</summary>
public abstract class DocumentationExamples(SandboxFixture sandbox) : IAsyncLifetime
{
    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(sandbox.Missing is not null, sandbox.Missing ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Path_based_routing_example_selects_the_backend()
    {
        var address = await SetUpAsync(
            "paths",
            ["path-api", "path-web", "path-default"],
            Route(
                "paths",
                """
                  hostnames: ["example.com"]
                  rules:
                    - matches:
                        - path: {type: PathPrefix, value: /api}
                      backendRefs:
                        - {name: path-api, port: 80}
                    - matches:
                        - path: {type: PathPrefix, value: /web}
                      backendRefs:
                        - {name: path-web, port: 80}
                    - backendRefs:
                        - {name: path-default, port: 80}
                """
            )
        );

        var echo = await sandbox.EchoAsync(address, "example.com", "/api/users?x=1");
        echo.Pod.Should().StartWith("path-api-");
        await ExpectAccessAsync(address, "http://example.com/api/users?x=1", echo);
        (await sandbox.EchoAsync(address, "example.com", "/web")).Pod.Should().StartWith("path-web-");
        (await sandbox.EchoAsync(address, "example.com", "/apis")).Pod.Should().StartWith("path-default-");
    }

    private async Task ExpectAccessAsync(string address, string url, EchoedRequest echo)
    {
        var access = await sandbox.EventuallyAsync(
            () => Task.FromResult(sandbox.Accesses.LastOrDefault(a => a.Url == url && a.Status == 200)),
            $"{url} is in the access log"
        );
        access.Method.Should().Be("GET");
        access.Gateway.Should().Be(new IPEndPoint(IPAddress.Parse(address), 80));
        access.Hops.ProxyName.Should().StartWith(sandbox is EnvoySandboxFixture ? "envoy-tenant-t1-" : "tenant-t1");
        access.Hops.NodePort!.Address.Should().Be(sandbox.Sandbox.Tenants[0].NodeAddress);
        access.Hops.Pod.Should().Be($"{echo.Namespace}/{echo.Pod}:{echo.ContainerPort}");
        access.Hops.Cause.Should().BeNull();
    }

    [Fact]
    public async Task Header_query_and_method_example_selects_the_backend()
    {
        var address = await SetUpAsync(
            "conditions",
            ["cond-v1", "cond-v2", "cond-beta", "cond-write"],
            Route(
                "conditions",
                """
                  rules:
                    - matches:
                        - headers:
                            - {name: X-Version, value: v2}
                      backendRefs:
                        - {name: cond-v2, port: 80}
                    - matches:
                        - queryParams:
                            - {name: version, value: beta}
                      backendRefs:
                        - {name: cond-beta, port: 80}
                    - matches:
                        - method: POST
                        - method: PUT
                        - method: DELETE
                      backendRefs:
                        - {name: cond-write, port: 80}
                    - backendRefs:
                        - {name: cond-v1, port: 80}
                """
            )
        );

        (await sandbox.EchoAsync(address, "x", "/", r => r.Headers.Add("X-Version", "v2"))).Pod.Should().StartWith("cond-v2-");
        (await sandbox.EchoAsync(address, "x", "/", r => r.Headers.Add("X-Version", "v1"))).Pod.Should().StartWith("cond-v1-");
        (await sandbox.EchoAsync(address, "x", "/?version=beta")).Pod.Should().StartWith("cond-beta-");
        (await sandbox.EchoAsync(address, "x", "/", r => r.Method = HttpMethod.Put)).Pod.Should().StartWith("cond-write-");
        (await sandbox.EchoAsync(address, "x")).Pod.Should().StartWith("cond-v1-");
    }

    [Fact]
    public async Task Traffic_splitting_example_follows_the_weights()
    {
        var address = await SetUpAsync(
            "canary",
            ["canary-stable", "canary-new"],
            Route(
                "canary",
                """
                  rules:
                    - backendRefs:
                        - {name: canary-stable, port: 80, weight: 90}
                        - {name: canary-new, port: 80, weight: 10}
                """
            )
        );

        var stable = 0;
        const int Requests = 200;
        for (var i = 0; i < Requests; i++)
        {
            stable += (await sandbox.EchoAsync(address, "x")).Pod.StartsWith("canary-stable-", StringComparison.Ordinal) ? 1 : 0;
        }

        // Five standard deviations around 180.
        stable.Should().BeInRange(159, 199);
    }

    [Fact]
    public async Task Header_modification_example_changes_headers()
    {
        var address = await SetUpAsync(
            "headers",
            ["headers-api"],
            Route(
                "headers",
                """
                  rules:
                    - filters:
                        - type: RequestHeaderModifier
                          requestHeaderModifier:
                            add:
                              - {name: X-Custom-Header, value: custom-value}
                              - {name: X-Trace, value: "%REQ(X-REQUEST-ID)%"}
                            set:
                              - {name: X-Forwarded-Proto, value: https}
                            remove: [X-Internal-Header]
                        - type: ResponseHeaderModifier
                          responseHeaderModifier:
                            add:
                              - {name: X-Response-Time, value: "%RESPONSE_DURATION%"}
                      backendRefs:
                        - {name: headers-api, port: 80}
                """
            )
        );

        var seen = await sandbox.EchoAsync(
            address,
            "x",
            "/",
            r =>
            {
                r.Headers.Add("X-Request-Id", "abc-123");
                r.Headers.Add("X-Internal-Header", "secret");
            }
        );
        seen.Headers["x-custom-header"].Should().Equal("custom-value");
        seen.Headers["x-trace"].Should().Equal("abc-123");
        seen.Headers["x-forwarded-proto"].Should().Equal("https");
        seen.Headers.Should().NotContainKey("x-internal-header");

        using var response = await sandbox.SendAsync(address, "x");
        int.Parse(response.Headers.GetValues("X-Response-Time").Single()).Should().BeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public async Task Url_rewriting_example_changes_path_and_host()
    {
        var address = await SetUpAsync(
            "rewrite",
            ["rewrite-api"],
            Route(
                "rewrite",
                """
                  rules:
                    - matches:
                        - path: {type: PathPrefix, value: /api/v1}
                      filters:
                        - type: URLRewrite
                          urlRewrite:
                            path: {type: ReplacePrefixMatch, replacePrefixMatch: /api/v2}
                      backendRefs:
                        - {name: rewrite-api, port: 80}
                """
            )
        );

        var seen = await sandbox.EchoAsync(address, "x", "/api/v1/users?id=7");
        (seen.Path + seen.Query).Should().Be("/api/v2/users?id=7");
    }

    [Fact]
    public async Task Grpc_example_routes_by_service_and_method()
    {
        await sandbox.ApplyAsync(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: grpc-gateway, namespace: default}
            spec:
              gatewayClassName: kubelb
              listeners:
                - name: grpc
                  protocol: HTTP
                  port: 80
                  allowedRoutes:
                    namespaces: {from: All}
                    kinds:
                      - kind: GRPCRoute
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: GRPCRoute
            metadata: {name: grpc-method-routing, namespace: default}
            spec:
              parentRefs:
                - name: grpc-gateway
              hostnames: ["grpc.example.com"]
              rules:
                - matches:
                    - method: {service: my.service.v1.UserService}
                  backendRefs:
                    - {name: grpc-users, port: 80}
                - matches:
                    - method: {service: my.service.v1.AuthService, method: Login}
                  backendRefs:
                    - {name: grpc-auth, port: 80}
                - backendRefs:
                    - {name: grpc-default, port: 80}
            """
        );
        foreach (var backend in new[] { "grpc-users", "grpc-auth", "grpc-default" })
        {
            await sandbox.ApplyAsync(Backend(backend));
        }

        var address = await sandbox.GatewayAddressAsync("grpc-gateway");

        (await CallAsync(address, "my.service.v1.UserService", "Get")).Should().StartWith("grpc-users-");
        (await CallAsync(address, "my.service.v1.AuthService", "Login")).Should().StartWith("grpc-auth-");
        (await CallAsync(address, "my.service.v1.AuthService", "Logout")).Should().StartWith("grpc-default-");
    }

    [Fact]
    public async Task Cross_namespace_example_needs_a_ReferenceGrant()
    {
        using (var client = sandbox.Sandbox.Tenants[0].Cluster.CreateClient("test"))
        {
            foreach (var name in new[] { "frontend", "backend" })
            {
                await k8s.CoreV1OperationsExtensions.CreateNamespaceAsync(
                    client.CoreV1,
                    new k8s.Models.V1Namespace { Metadata = new k8s.Models.V1ObjectMeta { Name = name } }
                );
            }
        }

        await sandbox.ApplyAsync(Backend("api-service").Replace("namespace: default", "namespace: backend", StringComparison.Ordinal));
        var address = await SetUpAsync(
            "cross",
            [],
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: cross-ns-route, namespace: frontend}
            spec:
              parentRefs:
                - {name: cross, namespace: default}
              rules:
                - backendRefs:
                    - {name: api-service, namespace: backend, port: 80}
            """
        );

        var seen = await sandbox.EchoAsync(address, "x");
        seen.Namespace.Should().Be("backend");
    }

    [Fact]
    public async Task Unknown_host_gets_404_and_backend_without_pods_503()
    {
        var address = await SetUpAsync(
            "failing",
            ["failing-api"],
            Route(
                "failing",
                """
                  hostnames: ["known.example.com"]
                  rules:
                    - backendRefs:
                        - {name: failing-api, port: 80}
                """
            )
        );
        await sandbox.EchoAsync(address, "known.example.com");

        using var unknown = await sandbox.SendAsync(address, "unknown.example.com");
        unknown.StatusCode.Should().Be(HttpStatusCode.NotFound);

        using (var client = sandbox.Sandbox.Tenants[0].Cluster.CreateClient("test"))
        {
            var patch = new k8s.Models.V1Patch(
                new JsonObject { ["spec"] = new JsonObject { ["replicas"] = 0 } }.ToJsonString(),
                k8s.Models.V1Patch.PatchType.MergePatch
            );
            await k8s.AppsV1OperationsExtensions.PatchNamespacedDeploymentAsync(client.AppsV1, patch, "failing-api", "default");
        }

        await sandbox.EventuallyAsync(
            async () =>
            {
                using var response = await sandbox.SendAsync(address, "known.example.com");
                return response.StatusCode == HttpStatusCode.ServiceUnavailable ? response : null;
            },
            "a backend without pods is answered with 503"
        );
    }

    [Fact]
    public async Task WebSocket_passes_the_Gateway()
    {
        var address = await SetUpAsync(
            "sockets",
            ["sockets-api"],
            Route(
                "sockets",
                """
                  rules:
                    - backendRefs:
                        - {name: sockets-api, port: 80}
                """
            )
        );
        await sandbox.EchoAsync(address, "x");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var client = new HttpMessageInvoker(sandbox.Sandbox.CreateGatewayHandler());
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{address}/chat"), client, deadline.Token);

        await socket.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Binary, true, deadline.Token);

        var buffer = new byte[16];
        (await socket.ReceiveAsync(buffer, deadline.Token)).Count.Should().Be(4);
    }

    private async Task<string> SetUpAsync(string gateway, string[] backends, string route)
    {
        await sandbox.ApplyAsync(
            $$$"""
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: {{{gateway}}}, namespace: default}
            spec:
              gatewayClassName: kubelb
              listeners:
                - {name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All} } }
            """
        );
        foreach (var backend in backends)
        {
            await sandbox.ApplyAsync(Backend(backend));
        }

        await sandbox.ApplyAsync(route);
        return await sandbox.GatewayAddressAsync(gateway);
    }

    private static string Route(string gateway, string spec) =>
        $$$"""
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: {{{gateway}}}-route, namespace: default}
            spec:
              parentRefs:
                - name: {{{gateway}}}
            {{{spec}}}
            """;

    private static string Backend(string name) =>
        $$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{{name}}}, namespace: default}
            spec:
              selector: {app: {{{name}}} }
              ports:
                - {port: 80, targetPort: http}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: {{{name}}}, namespace: default}
            spec:
              replicas: 1
              selector: {matchLabels: {app: {{{name}}} }}
              template:
                metadata: {labels: {app: {{{name}}} }}
                spec:
                  containers:
                    - name: main
                      image: anything
                      ports:
                        - {name: http, containerPort: 8080}
            """;

    private Task<string> CallAsync(string address, string service, string method) =>
        sandbox.EventuallyAsync(
            async () =>
            {
                using var channel = GrpcChannel.ForAddress(
                    $"http://{address}",
                    new GrpcChannelOptions { HttpHandler = new Authority("grpc.example.com", sandbox.Sandbox.CreateGatewayHandler()) }
                );
                var bytes = new Marshaller<byte[]>(b => b, b => b);
                using var call = channel
                    .CreateCallInvoker()
                    .AsyncUnaryCall(
                        new Method<byte[], byte[]>(MethodType.Unary, service, method, bytes, bytes),
                        null,
                        default,
                        "ping"u8.ToArray()
                    );
                (await call.ResponseAsync).Should().Equal("ping"u8.ToArray());
                return (await call.ResponseHeadersAsync).GetValue("x-echo-pod");
            },
            $"an answer of {service}/{method}"
        );

    /// <summary>Like <c>grpcurl -authority</c>.</summary>
    private sealed class Authority(string authority, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Host = authority;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
