using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>A GRPCRoute through the whole chain, called as <c>grpcurl -authority</c> would.</summary>
public sealed class GrpcRouteTests
{
    private const string Route = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: GRPCRoute
        metadata:
          name: grpc-route
          namespace: default
        spec:
          parentRefs:
            - name: my-gateway
          hostnames:
            - grpc.example.com
          rules:
            - backendRefs:
                - name: api-backend
                  port: 8080
        """;

    [Theory]
    [InlineData(ProxyKind.StandIn)]
    [InlineData(ProxyKind.Envoy)]
    public async Task Calls_reach_a_pod_until_the_route_is_deleted_and_nothing_is_left_behind(ProxyKind proxies)
    {
        await using var bed = await SystemFixture.StartAsync(proxies: proxies);
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(Documents.Deployment);
        var address = await bed.AddressAsync();
        var before = await bed.InventoryAsync();

        await bed.Tenant.ApplyAsync(Route);
        await bed.Tenant.WaitAsync<GrpcRoute>(
            "default",
            "grpc-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await ExpectAsync(bed, address, StatusCode.OK);

        await bed.Tenant.DeleteAsync<GrpcRoute>("default", "grpc-route");
        await bed.Tenant.WaitGoneAsync<GrpcRoute>("default", "grpc-route");
        await bed.WaitForInventoryAsync(before);
        await ExpectAsync(bed, address, StatusCode.Unimplemented);
    }

    [Fact]
    public async Task A_listener_for_grpc_routes_refuses_an_http_route()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Documents.Gateway.Replace("from: All", "from: All\n        kinds:\n          - kind: GRPCRoute"));
        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(Documents.Route);
        await bed.Tenant.ApplyAsync(Route);

        await bed.Tenant.WaitAsync<GrpcRoute>("default", "grpc-route", Statuses.IsAccepted, "is accepted");
        var http = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is refused"
        );
        Statuses.Condition(http, "Accepted")!.Reason.Should().Be("NotAllowedByListeners");
    }

    private static Task<StatusCode> ExpectAsync(SystemFixture bed, string address, StatusCode expected) =>
        Eventually.GetAsync(
            $"a call of grpc.example.com at {address} ends as {expected}",
            () => CallAsync(bed, address),
            status => status == expected
        );

    private static async Task<StatusCode> CallAsync(SystemFixture bed, string address)
    {
        using var channel = GrpcChannel.ForAddress(
            $"http://{address}",
            new GrpcChannelOptions
            {
                HttpHandler = new Authority("grpc.example.com", bed.Sandbox.CreateGatewayHandler()),
                DisposeHttpClient = true,
            }
        );
        var bytes = new Marshaller<byte[]>(b => b, b => b);
        using var call = channel
            .CreateCallInvoker()
            .AsyncUnaryCall(
                new Method<byte[], byte[]>(MethodType.Unary, "my.service.v1.MyService", "MyMethod", bytes, bytes),
                host: null,
                new CallOptions(deadline: DateTime.UtcNow.AddSeconds(10)),
                "hello"u8.ToArray()
            );
        try
        {
            (await call.ResponseAsync).Should().Equal("hello"u8.ToArray());
            (await call.ResponseHeadersAsync).GetValue("x-echo-pod").Should().StartWith("api-");
        }
        catch (RpcException)
        {
            // Its status is what is asked for.
        }

        return call.GetStatus().StatusCode;
    }

    private sealed class Authority(string authority, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Host = authority;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
