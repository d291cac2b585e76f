using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;

namespace KubeLB.Manager.Tests.Proxies;

public sealed class RoutePortsTests
{
    [Fact]
    public void Each_service_port_is_a_port_of_the_proxy_for_its_node_port() =>
        RoutePorts
            .Of(Route("HTTPRoute"), [Service("12000")])
            .Should()
            .Equal(new ProxyPort("default-web-api-8080-TCP", 12000, 30080, ProxyProtocol.Http1));

    [Theory]
    [InlineData("HTTPRoute", null, ProxyProtocol.Http1)]
    [InlineData("HTTPRoute", "kubernetes.io/h2c", ProxyProtocol.Http2)]
    [InlineData("HTTPRoute", "kubernetes.io/ws", ProxyProtocol.Http1)]
    [InlineData("GRPCRoute", null, ProxyProtocol.Http2)]
    internal void The_kind_of_route_and_the_ports_appprotocol_say_what_is_spoken(
        string kind,
        string? appProtocol,
        ProxyProtocol expected
    ) => RoutePorts.Of(Route(kind), [Service("12000", appProtocol)]).Should().ContainSingle().Which.Protocol.Should().Be(expected);

    [Fact]
    public void A_service_that_the_route_does_not_carry_any_more_has_no_port()
    {
        var service = Service("12000");
        service.Metadata.Labels[Labels.OriginName] = "other";

        RoutePorts.Of(Route("HTTPRoute"), [service]).Should().BeEmpty();
    }

    [Fact]
    public void A_service_that_the_route_no_longer_refers_to_keeps_the_node_port_that_it_was_generated_with()
    {
        var service = Service("12000");
        service.Metadata.Labels[Labels.OriginName] = "other";
        service.Metadata.Annotations = new Dictionary<string, string> { [Annotations.NodePorts] = "8080/TCP=30099,9090/TCP=30100" };

        RoutePorts
            .Of(Route("HTTPRoute"), [service])
            .Should()
            .Equal(new ProxyPort("default-web-api-8080-TCP", 12000, 30099, ProxyProtocol.Http1));
    }

    [Fact]
    public void The_routes_own_node_port_wins_over_the_one_that_the_service_was_generated_with()
    {
        var service = Service("12000");
        service.Metadata.Annotations = new Dictionary<string, string> { [Annotations.NodePorts] = "8080/TCP=30099" };

        RoutePorts.Of(Route("HTTPRoute"), [service]).Should().ContainSingle().Which.NodePort.Should().Be(30080);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8080")]
    [InlineData("8080/TCP=9001")]
    [InlineData("8080/TCP=65536")]
    [InlineData("8080/TCP=-1,8080/UDP=30080,=,/,8080/TCP=x")]
    public void An_annotation_without_a_usable_node_port_gives_no_port(string annotation)
    {
        var service = Service("12000");
        service.Metadata.Labels[Labels.OriginName] = "other";
        service.Metadata.Annotations = new Dictionary<string, string> { [Annotations.NodePorts] = annotation };

        RoutePorts.Of(Route("HTTPRoute"), [service]).Should().BeEmpty();
    }

    [Fact]
    public void A_target_port_that_is_no_number_is_left_out_until_it_is_put_right() =>
        RoutePorts.Of(Route("HTTPRoute"), [Service("http")]).Should().BeEmpty();

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(65536)]
    [InlineData(9001)]
    public void A_node_port_that_is_none_or_the_proxys_own_is_left_out_before_the_leader_has_refused_the_route(int nodePort)
    {
        var route = Route("HTTPRoute");
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = nodePort);

        RoutePorts.Of(route, [Service("12000")]).Should().BeEmpty();
    }

    [Fact]
    public void Unreadable_source_services_leave_a_service_the_node_ports_that_it_was_generated_with()
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

        RoutePorts.Of(route, [service]).Should().ContainSingle();
    }

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
