using k8s.Models;
using KubeLB.Manager.Services;
using KubeLB.Translation.Services;

namespace KubeLB.Manager.Tests.Services;

public sealed class TenantPortsTests
{
    private static readonly PortNeed Web = new("default-web-web", 80, "TCP");

    [Fact]
    public void The_same_need_gets_the_same_port()
    {
        var ports = new TenantPorts();

        ports.Allocate(Web).Should().Be(ports.Allocate(Web)).And.BeInRange(10000, 65535);
    }

    [Fact]
    public void A_port_that_a_service_has_stays_after_a_restart()
    {
        var ports = new TenantPorts();
        ports.Record(Service(Web, "23456"));

        ports.Allocate(Web).Should().Be(23456);
    }

    [Fact]
    public void A_port_outside_the_range_or_by_name_is_not_taken_over()
    {
        var ports = new TenantPorts();
        ports.Record(Service(Web, "80"));
        ports.Record(Service(Web, "http"));

        ports.Allocate(Web).Should().BeInRange(10000, 65535);
    }

    [Fact]
    public void Of_two_services_with_one_port_the_first_keeps_it()
    {
        var other = Web with { Service = "default-other-web" };
        var ports = new TenantPorts();
        ports.Record(Service(Web, "23456"));
        ports.Record(Service(other, "23456"));

        ports.Allocate(Web).Should().Be(23456);
        ports.Allocate(other).Should().NotBe(23456);
    }

    [Fact]
    public void All_ports_are_given_once_and_then_none()
    {
        var ports = new TenantPorts();
        var given = Enumerable.Range(0, 65535 - 10000 + 1).Select(i => ports.Allocate(new PortNeed($"s{i}", 80, "TCP"))).ToHashSet();

        given.Should().HaveCount(65535 - 10000 + 1);
        ports.Invoking(p => p.Allocate(Web)).Should().Throw<PortsExhaustedException>().WithMessage("*remove routes*");

        ports.Release("s17");
        given.Should().Contain(ports.Allocate(Web));
    }

    private static V1Service Service(PortNeed need, string targetPort) => new()
    {
        Metadata = new V1ObjectMeta { Name = need.Service },
        Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = need.Port, Protocol = need.Protocol, TargetPort = targetPort }] },
    };
}
