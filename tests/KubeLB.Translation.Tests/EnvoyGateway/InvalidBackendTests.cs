using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Properties;

namespace KubeLB.Translation.Tests.EnvoyGateway;

/// <summary>A backend that the route cannot use keeps its share of the requests, and Envoy Gateway responds to them with 500.</summary>
public sealed class InvalidBackendTests
{
    private const int AnHttpRoute = 1;
    private const int AGrpcRoute = 2;

    [Theory]
    [InlineData(AnHttpRoute, null, true)]
    [InlineData(AnHttpRoute, "kubernetes.io/h2c", true)]
    [InlineData(AnHttpRoute, "kubernetes.io/ws", true)]
    [InlineData(AnHttpRoute, "example.com/own", true)]
    [InlineData(AnHttpRoute, "https", false)]
    [InlineData(AnHttpRoute, "kubernetes.io/wss", false)]
    [InlineData(AGrpcRoute, "kubernetes.io/h2c", true)]
    [InlineData(AGrpcRoute, "kubernetes.io/ws", false)]
    [InlineData(AGrpcRoute, "https", false)]
    public void Backend_with_incompatible_appProtocol_does_not_resolve(int kind, string? appProtocol, bool resolves)
    {
        var json = HostileRoutes.Good(kind);
        var ports = Port(80, "TCP", 31963, appProtocol);
        SetPorts(json, ports);
        var backendRefs = Rule(json)["backendRefs"]!.AsArray();
        backendRefs.Clear();
        backendRefs.Add(
            new JsonObject
            {
                ["name"] = "web",
                ["port"] = 80,
                ["weight"] = 3,
            }
        );

        var backend = Generated(json).Rules.Single().BackendRefs!.Single();

        backend.Name.StartsWith("unresolved-", StringComparison.Ordinal).Should().Be(!resolves);
        (backend.Weight, backend.Port).Should().Be((3, 80), "it keeps its share");
    }

    [Theory]
    [InlineData("TCP", true)]
    [InlineData("UDP", false)]
    public void Only_TCP_ports_of_a_number_are_generated(string protocol, bool resolves)
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        SetPorts(json, Port(80, "UDP", 31962), Port(80, protocol, 31963));

        var translation = Translate(json);

        translation
            .Services.Where(s => s.OriginName == "web" && s.OriginNamespace == "bench")
            .SelectMany(s => s.Service.Spec.Ports)
            .Select(p => p.Protocol)
            .Should()
            .Equal(resolves ? ["TCP"] : [], "Envoy Gateway uses the first port of a number");
        ((IGatewayRoute)translation.Generated!)
            .Rules[0]
            .BackendRefs![0]
            .Name.StartsWith("unresolved-", StringComparison.Ordinal)
            .Should()
            .Be(!resolves);
    }

    [Fact]
    public void Unused_port_with_a_node_port_that_is_not_permitted_is_omitted()
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        SetPorts(json, Port(80, "TCP", 31963), Port(81, "TCP", 6443), Port(82, "TCP", 31964), Port(83, "UDP", 6443));

        var translation = Translate(json);

        translation.Problem.Should().BeNull();
        translation.Services.Single(s => s.OriginNamespace == "bench").Service.Spec.Ports.Select(p => p.Port).Should().Equal(80, 82);
    }

    [Fact]
    public void Used_port_with_a_node_port_that_is_not_permitted_rejects_the_route()
    {
        var json = HostileRoutes.Good(AnHttpRoute);
        SetPorts(json, Port(80, "TCP", 6443));

        Translate(json).Problem.Should().StartWith("Service bench/web: nodePort 6443 is not permitted.");
    }

    private static JsonNode Rule(JsonObject json) => json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["rules"]![0]!;

    private static void SetPorts(JsonObject json, params JsonObject[] ports) =>
        json["spec"]!["source"]!["kubernetes"]!["services"]![0]!["spec"]!["ports"] = new JsonArray([.. ports]);

    private static JsonObject Port(int port, string protocol, int nodePort, string? appProtocol = null) =>
        new()
        {
            ["name"] = $"p{port}-{protocol.ToLowerInvariant()}",
            ["port"] = port,
            ["protocol"] = protocol,
            ["nodePort"] = nodePort,
            ["appProtocol"] = appProtocol,
        };

    private static IGatewayRoute Generated(JsonObject json) => (IGatewayRoute)Translate(json).Generated!;

    private static EnvoyGatewayTranslation Translate(JsonObject json) =>
        EnvoyGatewayTranslator.Translate(
            ApiJson.Read<Route>(json),
            TenantPolicy.Default,
            new ManagementStub(Translation.EnvoyGateway.NameHolder.Free),
            _ => 10_000
        );
}
