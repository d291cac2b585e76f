using System.Net;
using System.Net.Sockets;
using k8s.Models;
using KubeLB.Sandbox.Proxies.Processes;

namespace KubeLB.Sandbox.Tests.Proxies.Processes;

/// <summary>Network namespaces of pods; needs root and iproute2.</summary>
public sealed class NetworkTests
{
    private static readonly V1Pod Pod = new()
    {
        Spec = new V1PodSpec
        {
            SecurityContext = new V1PodSecurityContext
            {
                Sysctls = [new V1Sysctl { Name = "net.ipv4.ip_local_port_range", Value = "1024 8999" }],
            },
        },
    };

    [Fact]
    public async Task Pod_reaches_the_sandboxs_loopback_addresses_and_has_its_own_127_0_0_1_and_sysctls()
    {
        await using var networks = await RequireAsync();
        await using var first = await networks.CreateAsync(Pod, CancellationToken.None);
        await using var second = await networks.CreateAsync(Pod, CancellationToken.None);
        using var listener = new TcpListener(IPAddress.Parse("127.90.1.2"), 0);
        listener.Start();
        using var own = new TcpListener(IPAddress.Loopback, 0);
        own.Start();

        foreach (var network in new[] { first, second })
        {
            var connecting = RunAsync(network, $"exec 3<>/dev/tcp/127.90.1.2/{((IPEndPoint)listener.LocalEndpoint).Port}");
            using var accepted = await listener.AcceptTcpClientAsync();
            ((IPEndPoint)accepted.Client.RemoteEndPoint!).Address.Should().Be(network.Address);
            ((IPEndPoint)accepted.Client.RemoteEndPoint!).Port.Should().BeInRange(1024, 8999);
            (await connecting).Should().Be(0);
        }

        (await RunAsync(first, $"exec 3<>/dev/tcp/127.0.0.1/{((IPEndPoint)own.LocalEndpoint).Port}"))
            .Should()
            .NotBe(0, "127.0.0.1 is the pod's own");
    }

    [Fact]
    public async Task Nothing_is_left_of_networks_that_are_disposed()
    {
        await using var networks = await RequireAsync();
        var network = await networks.CreateAsync(Pod, CancellationToken.None);
        var (name, address) = (network.Within[^1], network.Address);
        (await IpAsync("netns", "list")).Should().Contain(name);

        await network.DisposeAsync();

        (await IpAsync("netns", "list")).Should().NotContain(name);
        (await IpAsync("route", "show")).Should().NotContain($"{address} ");
    }

    [Fact]
    public async Task Namespaces_of_a_sandbox_that_was_killed_are_removed()
    {
        await using var networks = await RequireAsync();

        // Above the greatest process id that Linux gives.
        await IpAsync("netns", "add", "kubelb-9999999-1");

        await NamespaceNetworks.RemoveLeftoversAsync(CancellationToken.None);

        (await IpAsync("netns", "list")).Should().NotContain("kubelb-9999999-1");
    }

    private static async Task<NamespaceNetworks> RequireAsync()
    {
        var networks = await NamespaceNetworks.TryStartAsync(CancellationToken.None);
        Assert.SkipWhen(networks is null, "network namespaces cannot be made: not root, or no ip");
        return networks!;
    }

    private static async Task<int> RunAsync(IPodNetwork network, string script) =>
        (await ChildProcesses.RunAsync([.. network.Within, "timeout", "5", "bash", "-c", script], CancellationToken.None)).Code;

    private static async Task<string> IpAsync(params string[] arguments) =>
        (await ChildProcesses.RunAsync([ChildProcesses.Find("ip")!, .. arguments], CancellationToken.None)).Output;
}
