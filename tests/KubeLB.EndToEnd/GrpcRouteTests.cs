using Grpc.Core;
using Grpc.Net.Client;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

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
    public async Task GRPCRoute_serves_calls_until_it_is_deleted_without_leftovers(ProxyKind proxies)
    {
        await using var fixture = await SystemFixture.StartAsync(proxies: proxies);
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Deployment);
        var address = await fixture.AddressAsync();
        var before = await fixture.InventoryAsync();

        await fixture.Tenant.ApplyAsync(Route);
        await fixture.Tenant.WaitAsync<GrpcRoute>(
            "default",
            "grpc-route",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await ExpectAsync(fixture, address, StatusCode.OK);

        await fixture.Tenant.DeleteAsync<GrpcRoute>("default", "grpc-route");
        await fixture.Tenant.WaitGoneAsync<GrpcRoute>("default", "grpc-route");
        await fixture.WaitForInventoryAsync(before);
        await ExpectAsync(fixture, address, StatusCode.Unimplemented);
    }

    [Fact]
    public async Task HTTPRoute_to_a_GRPCRoute_listener_is_rejected()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Gateway.Replace("from: All", "from: All\n        kinds:\n          - kind: GRPCRoute"));
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Route);
        await fixture.Tenant.ApplyAsync(Route);

        await fixture.Tenant.WaitAsync<GrpcRoute>("default", "grpc-route", Statuses.IsAccepted, "is accepted");
        var http = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is rejected"
        );
        Statuses.Condition(http, "Accepted")!.Reason.Should().Be("NotAllowedByListeners");
    }

    private static Task<StatusCode> ExpectAsync(SystemFixture fixture, string address, StatusCode expected) =>
        Eventually.GetAsync(
            $"a call of grpc.example.com at {address} ends as {expected}",
            () => CallAsync(fixture, address),
            status => status == expected
        );

    private static async Task<StatusCode> CallAsync(SystemFixture fixture, string address)
    {
        using var channel = GrpcChannel.ForAddress(
            $"http://{address}",
            new GrpcChannelOptions
            {
                HttpHandler = new Authority("grpc.example.com", fixture.Sandbox.CreateGatewayHandler()),
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
            // The status is returned below.
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
