using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Manager.Tests.Proxies;

public sealed class RoutePortsTests
{
    [Fact]
    public void Service_port_results_in_a_proxy_port_for_its_node_port() =>
        PortsOf(Route("HTTPRoute"), Service("12000"))
            .Should()
            .Equal(new ProxyPort("default-web-api-8080-TCP", 12000, 30080, ProxyProtocol.Http1));

    [Theory]
    [InlineData("HTTPRoute", null, ProxyProtocol.Http1)]
    [InlineData("HTTPRoute", "kubernetes.io/h2c", ProxyProtocol.Http2)]
    [InlineData("HTTPRoute", "kubernetes.io/ws", ProxyProtocol.Http1)]
    [InlineData("GRPCRoute", null, ProxyProtocol.Http2)]
    internal void Route_kind_and_appProtocol_select_the_protocol(string kind, string? appProtocol, ProxyProtocol expected) =>
        PortsOf(Route(kind), Service("12000", appProtocol)).Should().ContainSingle().Which.Protocol.Should().Be(expected);

    [Fact]
    public void Service_missing_in_the_Route_without_annotation_has_no_port()
    {
        var service = Service("12000");
        service.Metadata.Labels[Labels.OriginName] = "other";

        PortsOf(Route("HTTPRoute"), service).Should().BeEmpty();
    }

    [Fact]
    public void Service_missing_in_the_Route_keeps_its_recorded_node_port()
    {
        var service = Service("12000");
        service.Metadata.Labels[Labels.OriginName] = "other";
        service.Metadata.Annotations = new Dictionary<string, string> { [Annotations.NodePorts] = "8080/TCP=30099,9090/TCP=30100" };

        PortsOf(Route("HTTPRoute"), service).Should().Equal(new ProxyPort("default-web-api-8080-TCP", 12000, 30099, ProxyProtocol.Http1));
    }

    [Fact]
    public void Node_port_in_the_Route_overrides_the_recorded_one()
    {
        var service = Service("12000");
        service.Metadata.Annotations = new Dictionary<string, string> { [Annotations.NodePorts] = "8080/TCP=30099" };

        PortsOf(Route("HTTPRoute"), service).Should().ContainSingle().Which.NodePort.Should().Be(30080);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8080")]
    [InlineData("8080/TCP=9001")]
    [InlineData("8080/TCP=65536")]
    [InlineData("8080/TCP=29999")]
    [InlineData("8080/TCP=-1,8080/UDP=30080,=,/,8080/TCP=x")]
    public void Invalid_node_port_annotation_results_in_no_port(string annotation)
    {
        var service = Service("12000");
        service.Metadata.Labels[Labels.OriginName] = "other";
        service.Metadata.Annotations = new Dictionary<string, string> { [Annotations.NodePorts] = annotation };

        PortsOf(Route("HTTPRoute"), service).Should().BeEmpty();
    }

    [Fact]
    public void Target_port_that_is_not_a_number_is_skipped() => PortsOf(Route("HTTPRoute"), Service("http")).Should().BeEmpty();

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(65536)]
    [InlineData(9001)]
    [InlineData(6443)]
    [InlineData(29999)]
    [InlineData(32768)]
    [Trait("Threat", "node-ports")]
    [Trait("Threat", "invalid-node-ports")]
    public void Invalid_or_reserved_node_port_is_skipped(int nodePort)
    {
        var route = Route("HTTPRoute");
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = nodePort);

        PortsOf(route, Service("12000")).Should().BeEmpty();
    }

    [Fact]
    public void Permitted_node_port_outside_of_the_default_range_is_served()
    {
        var route = Route("HTTPRoute");
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = 8443);

        RoutePorts.Of(route, [Service("12000")], NodePortRanges.Parse("8443")!).Should().ContainSingle().Which.NodePort.Should().Be(8443);
    }

    [Fact]
    public void Invalid_source_services_keep_the_recorded_node_ports()
    {
        var route = Route("HTTPRoute");
        route.Change(k =>
        {
            k.Services![0].Spec!.Ports!.Insert(0, null!);
            k.Services.Insert(0, null!);
            k.Services.Insert(0, new RouteService { Metadata = null! });
        });
        var service = Service("12000");
        service.Metadata.Annotations = new Dictionary<string, string> { [Annotations.NodePorts] = "8080/TCP=30080" };

        PortsOf(route, service).Should().ContainSingle();
    }

    private static IReadOnlyList<ProxyPort> PortsOf(Route route, V1Service service) =>
        RoutePorts.Of(route, [service], NodePortRanges.Default);

    private static V1Service Service(string targetPort, string? appProtocol = null) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = "default-web-api",
                Labels = new Dictionary<string, string> { [Labels.OriginNamespace] = "default", [Labels.OriginName] = "api" },
            },
            Spec = new V1ServiceSpec
            {
                Ports =
                [
                    new V1ServicePort
                    {
                        Port = 8080,
                        Protocol = "TCP",
                        TargetPort = targetPort,
                        AppProtocol = appProtocol,
                    },
                ],
            },
        };

    private static Route Route(string kind) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "u1", NamespaceProperty = "tenant-t" },
            Spec = new RouteSpec
            {
                Source = new RouteSource
                {
                    Kubernetes = new KubernetesSource
                    {
                        Resource = new JsonObject
                        {
                            ["apiVersion"] = "gateway.networking.k8s.io/v1",
                            ["kind"] = kind,
                            ["metadata"] = new JsonObject { ["name"] = "web", ["namespace"] = "default" },
                            ["spec"] = JsonNode.Parse("""{"rules":[{"backendRefs":[{"name":"api","port":8080}]}]}"""),
                        },
                        Services =
                        [
                            new RouteService
                            {
                                Metadata = new V1ObjectMeta { Name = "api", NamespaceProperty = "default" },
                                Spec = new RouteServiceSpec { Ports = [new RouteServicePort { Port = 8080, NodePort = 30080 }] },
                            },
                        ],
                    },
                },
            },
        };
}
