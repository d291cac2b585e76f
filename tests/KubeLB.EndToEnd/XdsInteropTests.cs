using System.Text;
using System.Text.Json;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>
/// A client with only Envoy's published protos accepts all resources of a manager: there is no field, no byte and no value that they do
/// not have. <c>tests/interop/xds/ads-client.mjs</c>.
/// </summary>
public sealed class XdsInteropTests : IAsyncLifetime
{
    private const string GrpcRoute = """
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

    private static readonly string H2cBackend = Documents
        .Backend.Replace("name: api-backend", "name: h2c-backend")
        .Replace("targetPort: 8080", "targetPort: 8080\n      appProtocol: kubernetes.io/h2c");

    private readonly string _folder = Directory.CreateTempSubdirectory("xds-interop-").FullName;
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await SystemFixture.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("sotw")]
    [InlineData("delta")]
    public async Task Served_resources_are_valid_for_the_published_Envoy_protos(string protocol)
    {
        NodeProgram.SkipUnlessInstalled();
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.Tenant.ApplyAsync(GrpcRoute);
        await _fixture.Tenant.ApplyAsync(H2cBackend);
        await RouteAsync("h2c-route", "h2c-backend");
        await using var client = await StartAsync(protocol);

        // HTTP/1.1, gRPC and h2c.
        await HoldsAsync(client, "three routes", resources: 3, discovery: "EDS", addresses: null);

        // A further route is added and removed.
        await RouteAsync("later", "api-backend");
        await HoldsAsync(client, "the later route", resources: 4, discovery: "EDS", addresses: null);
        await _fixture.Tenant.DeleteAsync<HttpRoute>("default", "later");
        var before = await HoldsAsync(client, "three routes again", resources: 3, discovery: "EDS", addresses: null);
        var lists = before.GetProperty("held").GetProperty("endpoints").GetInt32();

        // Several nodes, and then nodes with hostnames.
        await _fixture.StopCcmAsync();
        await NodesAsync("""[{"ip":"10.7.0.1"},{"ip":"10.7.0.2"},{"ip":"2001:db8::7"}]""");
        await HoldsAsync(client, "three nodes", resources: 3, discovery: "EDS", addresses: 3 * lists);
        await NodesAsync("""[{"ip":"10.7.0.1"},{"hostname":"node-2.example.com"}]""");
        var named = await HoldsAsync(client, "nodes with names", resources: 3, discovery: "STRICT_DNS", addresses: 6);
        named.GetProperty("held").GetProperty("endpoints").GetInt32().Should().Be(0);
        await NodesAsync("""[{"ip":"10.7.0.1"},{"ip":"10.7.0.2"}]""");
        await HoldsAsync(client, "nodes without names", resources: 3, discovery: "EDS", addresses: 2 * lists);

        client.Say("stop");
        var sum = await client.NextAsync("responses");
        Texts(sum.GetProperty("faults")).Should().BeEmpty();
        Texts(sum.GetProperty("met"))
            .Should()
            .BeSubsetOf(PublishedProtos.Rules, "each of them is shown to be enforced")
            .And.HaveCountGreaterThan(10);
        var messages = sum.GetProperty("messages").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32());
        messages
            .Should()
            .ContainKeys(
                "envoy.config.cluster.v3.Cluster",
                "envoy.config.endpoint.v3.ClusterLoadAssignment",
                "envoy.config.listener.v3.Listener",
                "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                "envoy.extensions.filters.http.router.v3.Router",
                "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                protocol == "delta" ? "envoy.service.discovery.v3.DeltaDiscoveryResponse" : "envoy.service.discovery.v3.DiscoveryResponse"
            );
        messages["envoy.config.cluster.v3.Cluster"]
            .Should()
            .BeGreaterThanOrEqualTo(3 + 1 + 3 + 3, "three routes, a fourth, and all three when a node gets and loses its hostname");
    }

    [Theory]
    [InlineData("tenant-t2", "envoycp.kubelb.svc", "7 ")]
    [InlineData("tenant-t1", "elsewhere.kubelb.svc", "14 ")]
    public async Task Node_of_another_tenant_and_manager_of_another_name_are_rejected(string node, string serverName, string error)
    {
        NodeProgram.SkipUnlessInstalled();
        await _fixture.ApplyBasicExampleAsync();
        await using var client = await StartAsync("delta", node, serverName);

        (await client.NextAsync("error")).GetProperty("error").GetString().Should().StartWith(error);
    }

    [Fact]
    public async Task Proxy_bootstrap_is_valid_for_the_published_Envoy_protos()
    {
        await using var protos = new PublishedProtos();
        await _fixture.ApplyBasicExampleAsync();
        var workload = await _fixture.Management.WaitAsync<V1Deployment>(
            "tenant-t1",
            "envoy-tenant-t1",
            d => d.Spec?.Template is not null,
            "is there"
        );
        var args = workload.Spec.Template.Spec.Containers[0].Args;
        var started = await protos.CheckAsync("envoy.config.bootstrap.v3.Bootstrap", args[args.IndexOf("--config-yaml") + 1]);
        started.Faults.Should().BeEmpty();
        started.Messages.Should().ContainKey("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext");

        var secret = await SecretAsync();
        foreach (var file in new[] { "sds-certificate.json", "sds-trust.json" })
        {
            var described = await protos.CheckAsync(
                "envoy.service.discovery.v3.DiscoveryResponse",
                Encoding.UTF8.GetString(secret.Data[file])
            );
            described.Faults.Should().BeEmpty();
            described.Messages.Should().Contain("envoy.extensions.transport_sockets.tls.v3.Secret", 1);
        }
    }

    private static async Task<JsonElement> HoldsAsync(NodeProgram client, string what, int resources, string discovery, int? addresses) =>
        await client.NextLineAsync(
            $"{what}: {resources} listeners and clusters",
            line =>
            {
                line.TryGetProperty("error", out var error).Should().BeFalse($"the stream must continue, but: {error}");
                Texts(line.GetProperty("faults")).Should().BeEmpty();
                var held = line.GetProperty("held");
                return held.GetProperty("listener").GetInt32() == resources
                    && held.GetProperty("cluster").GetInt32() == resources
                    && line.GetProperty("missing").GetInt32() == 0
                    && line.GetProperty("discovery").EnumerateObject().All(d => d.Name == discovery && d.Value.GetInt32() == resources)
                    && (
                        addresses is null
                            ? line.GetProperty("addresses").GetInt32() > 0
                            : line.GetProperty("addresses").GetInt32() == addresses
                    );
            }
        );

    private static IReadOnlyList<string> Texts(JsonElement list) => [.. list.EnumerateArray().Select(f => f.GetString()!)];

    private async Task RouteAsync(string name, string backend)
    {
        await _fixture.Tenant.ApplyAsync(
            Documents
                .Route.Replace("name: api-route", $"name: {name}")
                .Replace("api.example.com", $"{name}.example.com")
                .Replace("name: api-backend", $"name: {backend}")
        );
        await _fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            name,
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
    }

    private Task<Addresses> NodesAsync(string addresses) =>
        _fixture.Management.PatchAsync<Addresses>("tenant-t1", "default", $$"""{"spec":{"addresses":{{addresses}} } }""");

    private Task<V1Secret> SecretAsync() =>
        _fixture.Management.WaitAsync<V1Secret>("tenant-t1", "envoy-xds-client", s => s.Data?.Count > 0, "is there");

    private async Task<NodeProgram> StartAsync(string protocol, string node = "tenant-t1", string serverName = "envoycp.kubelb.svc")
    {
        var secret = await SecretAsync();
        foreach (var file in new[] { "ca.crt", "tls.crt", "tls.key" })
        {
            await File.WriteAllBytesAsync(Path.Combine(_folder, file), secret.Data[file]);
        }

        var server = _fixture.Sandbox.Manager.Host!.Services.GetRequiredService<XdsEndpoint>().Address!;
        return NodeProgram.Start(
            "ads-client.mjs",
            $"{server}",
            node,
            protocol,
            serverName,
            Path.Combine(_folder, "ca.crt"),
            Path.Combine(_folder, "tls.crt"),
            Path.Combine(_folder, "tls.key")
        );
    }
}
