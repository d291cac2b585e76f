using System.Net;
using KubeLB.Sandbox.Networking;

namespace KubeLB.Sandbox.Tests.Nodes;

public sealed class LoopbackAddressesTests
{
    [Fact]
    public void Two_instances_never_allocate_the_same_address()
    {
        using var one = new LoopbackAddresses();
        using var two = new LoopbackAddresses();
        if (one.IsShared)
        {
            one.Take().Should().Be(IPAddress.Loopback);
            return;
        }

        var taken = Enumerable.Range(0, 400).SelectMany(_ => new[] { one.Take(), two.Take() }).ToList();

        taken.Should().OnlyHaveUniqueItems();
        taken.Should().OnlyContain(address => IPAddress.IsLoopback(address));
    }

    [Fact]
    public void Single_loopback_address_is_shared()
    {
        using var addresses = new LoopbackAddresses(forceShared: true);

        addresses.IsShared.Should().BeTrue();
        addresses.Take().Should().Be(IPAddress.Loopback);
        addresses.Take().Should().Be(IPAddress.Loopback);
    }
}
