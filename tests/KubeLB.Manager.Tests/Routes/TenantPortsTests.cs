using CsCheck;
using k8s.Models;
using KubeLB.Manager.Services;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Manager.Tests.Routes;

public sealed class TenantPortsTests
{
    private static readonly PortNeed Web = new("default-web-web", 80, "TCP");

    [Fact]
    public void Repeated_allocation_returns_the_same_port()
    {
        var ports = new TenantPorts();

        ports.Allocate(Web).Should().Be(ports.Allocate(Web)).And.BeInRange(10000, 65535);
    }

    [Fact]
    public void Port_in_a_Service_is_kept_after_a_restart()
    {
        var ports = new TenantPorts();
        Record(ports, Web, "23456");

        ports.Allocate(Web).Should().Be(23456);
    }

    [Theory]
    [InlineData("80")]
    [InlineData("9999")]
    [InlineData("65536")]
    [InlineData("19001")]
    [InlineData("-1")]
    [InlineData("http")]
    [InlineData("")]
    public void Port_outside_the_range_reserved_or_named_is_not_adopted(string targetPort)
    {
        var ports = new TenantPorts();
        Record(ports, Web, targetPort);

        ports.Allocate(Web).Should().BeInRange(10000, 65535);
    }

    [Fact]
    [Trait("Threat", "shared-port")]
    public void Port_of_two_Services_is_kept_by_the_first()
    {
        var other = Web with { Service = "default-other-web" };
        var ports = new TenantPorts();
        Record(ports, Web, "23456");
        Record(ports, other, "23456");

        ports.Allocate(Web).Should().Be(23456);
        ports.Allocate(other).Should().NotBe(23456);
    }

    [Theory]
    [InlineData("34567")]
    [InlineData("http")]
    public void Manually_edited_port_is_ignored(string edited)
    {
        var ports = new TenantPorts();
        var given = ports.Allocate(Web);
        Record(ports, Web, $"{given}");

        Record(ports, Web, edited);

        ports.Allocate(Web).Should().Be(given);
    }

    [Fact]
    public void All_ports_except_reserved_ones_are_allocated_once()
    {
        var ports = new TenantPorts();
        const int ReservedPorts = 4;
        var given = Enumerable
            .Range(0, 65535 - 10000 + 1 - ReservedPorts)
            .Select(i => ports.Allocate(new PortNeed($"s{i}", 80, "TCP")))
            .ToHashSet();

        given.Should().HaveCount(65535 - 10000 + 1 - ReservedPorts);
        given.Should().NotContain([19001, 19002, 19003, 19004], "the proxy listens on these ports");
        ports.Invoking(p => p.Allocate(Web)).Should().Throw<PortsExhaustedException>().WithMessage("*10000-65535*Delete routes*");

        ports.Refresh("s17", null, endReservation: true);
        given.Should().Contain(ports.Allocate(Web));
    }

    [Fact]
    [Trait("Threat", "all-ports")]
    public void Unused_reservation_frees_its_port()
    {
        var ports = new TenantPorts(20000, 20003);
        foreach (var port in Enumerable.Range(1, 4))
        {
            ports.Allocate(Web with { Port = port });
        }

        ports.Invoking(p => p.Allocate(Web with { Port = 5 })).Should().Throw<PortsExhaustedException>();
        ports.Refresh(Web.Service, null, endReservation: true);

        ports.Count.Should().Be(0);
        ports.Invoking(p => p.Allocate(Web with { Service = "another" })).Should().NotThrow();
    }

    [Fact]
    public void Reserved_port_survives_an_older_state_of_its_Service()
    {
        var ports = new TenantPorts();
        Record(ports, Web, "23456");
        var added = ports.Allocate(Web with { Port = 81 });

        Record(ports, Web, "23456");

        ports.Allocate(Web with { Port = 81 }).Should().Be(added);
        ports.Count.Should().Be(2);
    }

    [Fact]
    public void Port_removed_from_its_Service_is_free()
    {
        var ports = new TenantPorts();
        Record(ports, Web, "23456");
        Record(ports, Web with { Port = 81 }, "23457");

        ports.Count.Should().Be(1, "the Service now has port 81 only");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_000)]
    [InlineData(10_000)]
    [Trait("Threat", "port-allocation")]
    public void Allocation_probes_few_ports_regardless_of_their_number(int present)
    {
        var ports = new TenantPorts();
        for (var i = 0; i < present; i++)
        {
            ports.Allocate(new PortNeed($"default-route-{i}-service", 80, "TCP"));
        }

        var before = ports.Probes;
        for (var i = 0; i < 100; i++)
        {
            ports.Allocate(new PortNeed($"default-another-{i}-service", 80, "TCP"));
        }

        (ports.Probes - before).Should().BeInRange(100, 200);
        var known = ports.Probes;
        ports.Allocate(new PortNeed("default-another-7-service", 80, "TCP"));
        ports.Probes.Should().Be(known, "an allocated port is not searched for");
    }

    [Fact]
    public void Random_events_never_assign_a_port_twice_or_leak_it() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 4], Gen.Int[0, 2])
            .List[1, 60]
            .Sample(steps =>
            {
                var ports = new TenantPorts(30000, 30007);
                var stored = new Dictionary<string, V1Service>();
                foreach (var (action, service, port) in steps)
                {
                    var name = $"s{service}";
                    if (action == 0)
                    {
                        stored.Remove(name);
                        ports.Refresh(name, stored.GetValueOrDefault(name));
                        continue;
                    }

                    // A reconcile: ports are allocated, then written or not.
                    try
                    {
                        var needs = Enumerable.Range(1, port + 1).Select(p => new PortNeed(name, p, "TCP")).ToList();
                        var given = needs.Select(need => (need, port: ports.Allocate(need))).ToList();
                        if (action > 1)
                        {
                            stored[name] = Service(name, given.Select(g => (g.need.Port, $"{g.port}")));
                        }
                    }
                    catch (PortsExhaustedException)
                    {
                        stored.Values.Sum(s => s.Spec.Ports.Count).Should().BeGreaterThan(8 - (port + 1));
                    }

                    ports.Refresh(name, stored.GetValueOrDefault(name), endReservation: true);
                    ports.Count.Should().Be(stored.Values.Sum(s => s.Spec.Ports.Count));
                    stored.Values.SelectMany(s => s.Spec.Ports).Select(p => p.TargetPort.Value).Should().OnlyHaveUniqueItems();
                }
            });

    private static void Record(TenantPorts ports, PortNeed need, string targetPort) =>
        ports.Refresh(need.Service, Service(need.Service, [(need.Port, targetPort)]));

    private static V1Service Service(string name, IEnumerable<(int Port, string Target)> ports) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new V1ServiceSpec
            {
                Ports =
                [
                    .. ports.Select(p => new V1ServicePort
                    {
                        Port = p.Port,
                        Protocol = "TCP",
                        TargetPort = p.Target,
                    }),
                ],
            },
        };
}
