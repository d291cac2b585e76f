using KubeLB.Xds.Discovery;

namespace KubeLB.Xds.Tests.Resources;

public sealed class XdsPeerTests
{
    [Theory]
    [InlineData("ipv4:10.0.0.7:41234", "10.0.0.7")]
    [InlineData("ipv6:[fd00::7]:41234", "fd00::7")]
    [InlineData("ipv6:[::ffff:10.0.0.7]:41234", "10.0.0.7")]
    [InlineData("unix:/run/xds.sock", "unix:/run/xds.sock")]
    [InlineData("", "")]
    public void Host_of_a_peer_is_its_address_as_kubernetes_writes_it(string peer, string host) => XdsPeer.HostOf(peer).Should().Be(host);
}
