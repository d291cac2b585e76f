using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Xds.Snapshots;

namespace KubeLB.Manager.Tests.Proxies;

public sealed class SnapshotBuilderTests
{
    [Fact]
    public void Each_service_port_becomes_a_listener_that_sends_to_every_node()
    {
        var snapshot = SnapshotBuilder.Build([Route("HTTPRoute")], _ => [Service(targetPort: "12000")], ["10.0.0.1", "10.0.0.2"]);

        snapshot.Listeners.Values.Should().Equal(new ProxyListener("default-web-api-8080-TCP", 12000, ListenerProtocol.Http, "default-web-api-8080-TCP"));
        var cluster = snapshot.Clusters.Values.Should().ContainSingle().Subject;
        cluster.Protocol.Should().Be(UpstreamProtocol.Http1);
        cluster.Endpoints.Should().Equal(new ProxyEndpoint("10.0.0.1", 30080), new ProxyEndpoint("10.0.0.2", 30080));
    }

    [Theory]
    [InlineData("GRPCRoute", null)]
    [InlineData("HTTPRoute", "kubernetes.io/h2c")]
    public void Grpc_and_h2c_backends_are_spoken_to_in_http2(string kind, string? appProtocol)
    {
        var snapshot = SnapshotBuilder.Build([Route(kind)], _ => [Service("12000", appProtocol)], ["10.0.0.1"]);

        snapshot.Clusters.Values.Should().ContainSingle().Which.Protocol.Should().Be(UpstreamProtocol.Http2);
    }

    [Fact]
    public void Two_services_that_claim_one_port_do_not_break_the_rest()
    {
        var route = Route("HTTPRoute");
        var snapshot = SnapshotBuilder.Build([route, route], _ => [Service("12000")], ["10.0.0.1"]);

        snapshot.Listeners.Should().ContainSingle();
    }

    [Fact]
    public void Without_addresses_there_are_clusters_without_endpoints()
    {
        var snapshot = SnapshotBuilder.Build([Route("HTTPRoute")], _ => [Service("12000")], nodes: []);

        snapshot.Clusters.Values.Should().ContainSingle().Which.Endpoints.Should().BeEmpty();
    }

    private static V1Service Service(string targetPort, string? appProtocol = null) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = "default-web-api",
            Labels = new Dictionary<string, string> { [Labels.OriginNamespace] = "default", [Labels.OriginName] = "api" },
        },
        Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = 8080, Protocol = "TCP", TargetPort = targetPort, AppProtocol = appProtocol }] },
    };

    private static Route Route(string kind) => new()
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
