using k8s;
using k8s.Models;
using KubeLB.Sandbox.Nodes;

namespace KubeLB.Sandbox.Tests.Nodes;

public sealed class EndpointSelectionTests
{
    [Fact]
    public void Endpoints_are_selected_ready_pods_of_the_namespace()
    {
        var service = Service(new V1ServicePort { Port = 80, TargetPort = 8080 });
        V1Pod[] pods =
        [
            Pod("b"),
            Pod("a"),
            Pod("not-ready", ready: false),
            Pod("other-app", app: "other"),
            Pod("elsewhere", ns: "elsewhere"),
        ];

        var subset = EndpointSelection.Of(service, pods).Should().ContainSingle().Subject;

        subset.Pods.Select(p => p.Name()).Should().Equal("a", "b");
        subset.Ports.Should().ContainSingle().Which.Port.Should().Be(8080);
    }

    [Theory]
    [InlineData("8080", 8080)]
    [InlineData("http", 9090)]
    [InlineData(null, 80)]
    public void Target_port_is_a_number_a_name_or_the_port(string? target, int port) =>
        EndpointSelection
            .TargetPort(new V1ServicePort { Port = 80, TargetPort = target is null ? null : target }, Pod("a"))
            .Should()
            .Be(port);

    [Fact]
    public void Pod_without_the_named_port_is_an_endpoint_without_ports()
    {
        var service = Service(new V1ServicePort { Port = 80, TargetPort = "missing" });

        var subsets = EndpointSelection.Of(service, [Pod("a")]);

        var slice = EndpointSelection.Slices(service, subsets).Should().ContainSingle().Subject;
        slice.Ports.Should().BeEmpty();
        slice.Endpoints.Should().ContainSingle();
        EndpointSelection.Endpoints(service, subsets).Subsets.Should().BeEmpty("Endpoints list no pod without a port");
    }

    [Fact]
    public void Pods_with_different_port_numbers_have_separate_slices()
    {
        var service = Service(
            new V1ServicePort
            {
                Name = "web",
                Port = 80,
                TargetPort = "http",
            }
        );

        var slices = EndpointSelection
            .Slices(service, EndpointSelection.Of(service, [Pod("a", port: 9090), Pod("b", port: 9091)]))
            .ToList();

        slices
            .Select(s => (s.Name(), s.Ports[0].Port, s.Endpoints.Single().TargetRef.Name))
            .Should()
            .Equal(("svc-0", 9090, "a"), ("svc-1", 9091, "b"));
    }

    [Fact]
    public void Service_without_ready_pods_has_one_empty_slice() =>
        EndpointSelection.Slices(Service(new V1ServicePort { Port = 80 }), []).Should().ContainSingle().Which.Endpoints.Should().BeEmpty();

    [Fact]
    public void Service_without_selector_selects_no_pod()
    {
        var service = Service(new V1ServicePort { Port = 80 });
        service.Spec.Selector = null;

        EndpointSelection.Selects(service, Pod("a")).Should().BeFalse();
    }

    [Fact]
    public void Pod_serves_declared_ports_or_target_ports()
    {
        var service = Service(new V1ServicePort { Port = 80, TargetPort = 7000 }, new V1ServicePort { Port = 81, TargetPort = "named" });
        var undeclared = Pod("a");
        undeclared.Spec.Containers[0].Ports = null;

        PodPorts.RequiredPorts(Pod("b"), [service]).Should().Equal(9090);
        PodPorts.RequiredPorts(undeclared, [service]).Should().Equal(7000);
    }

    private static V1Service Service(params V1ServicePort[] ports) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = "svc",
                NamespaceProperty = "default",
                Uid = "1",
            },
            Spec = new V1ServiceSpec
            {
                Selector = new Dictionary<string, string> { ["app"] = "api" },
                Ports = ports,
            },
        };

    private static V1Pod Pod(string name, bool ready = true, string app = "api", string ns = "default", int port = 9090) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = ns,
                Labels = new Dictionary<string, string> { ["app"] = app },
            },
            Spec = new V1PodSpec
            {
                Containers = [new V1Container { Name = "main", Ports = [new V1ContainerPort { Name = "http", ContainerPort = port }] }],
            },
            Status = new V1PodStatus
            {
                PodIP = "127.1.1.1",
                Conditions = [new V1PodCondition { Type = "Ready", Status = ready ? "True" : "False" }],
            },
        };
}

public sealed class PodQosClassTests
{
    [Theory]
    [InlineData("{}", "BestEffort")]
    [InlineData("""{"requests":{"ephemeral-storage":"1Gi"}}""", "BestEffort")]
    [InlineData("""{"requests":{"cpu":"20m"}}""", "Burstable")]
    [InlineData("""{"limits":{"cpu":"1"}}""", "Burstable")]
    [InlineData("""{"limits":{"cpu":"1","memory":"64Mi"}}""", "Guaranteed")]
    [InlineData("""{"requests":{"cpu":"1000m","memory":"64Mi"},"limits":{"cpu":"1","memory":"64Mi"}}""", "Guaranteed")]
    [InlineData("""{"requests":{"cpu":"500m","memory":"64Mi"},"limits":{"cpu":"1","memory":"64Mi"}}""", "Burstable")]
    public void Qos_class_is_computed_if_the_status_has_none(string resources, string quality) =>
        PodQosClass.Of(Pod($$$"""{"spec":{"containers":[{"name":"a","resources":{{{resources}}}}]}}""")).Should().Be(quality);

    [Fact]
    public void Qos_class_of_the_status_is_kept() =>
        PodQosClass.Of(Pod("""{"spec":{"containers":[{"name":"a"}]},"status":{"qosClass":"Guaranteed"}}""")).Should().Be("Guaranteed");

    private static V1Pod Pod(string json) => KubernetesJson.Deserialize<V1Pod>(json);
}
