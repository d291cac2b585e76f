using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tests.Matching;

/// <summary>https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec, hostnames.</summary>
public sealed class HostnamesTests
{
    [Theory]
    [InlineData("web.example.com", "web.example.com", true)]
    [InlineData("WEB.example.com", "web.EXAMPLE.com", true)]
    [InlineData("web.example.com", "example.com", false)]
    [InlineData("example.com", "web.example.com", false)]
    [InlineData("*.example.com", "web.example.com", true)]
    [InlineData("*.example.com", "WEB.EXAMPLE.COM", true)]
    [InlineData("*.example.com", "a.web.example.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*.example.com", "webexample.com", false)]
    [InlineData("*.example.com", "web.example.com.org", false)]
    [InlineData("web.example.com", "*.example.com", true)]
    [InlineData("a.web.example.com", "*.example.com", true)]
    [InlineData("example.com", "*.example.com", false)]
    [InlineData("*.example.com", "*.example.com", true)]
    [InlineData("*.Example.com", "*.example.COM", true)]
    [InlineData("*.example.com", "*.web.example.com", true)]
    [InlineData("*.web.example.com", "*.example.com", true)]
    [InlineData("*.example.com", "*.example.org", false)]
    [InlineData("*.example.com", "*.badexample.com", false)]
    [InlineData("*.com", "example.com", true)]
    [InlineData("*.com", "com", false)]
    public void Hostname_of_a_listener_and_of_a_route_intersect(string listener, string route, bool expected) =>
        Hostnames.Intersect(listener, [route]).Should().Be(expected);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Listener_without_hostname_matches_every_route(string? listener)
    {
        Hostnames.Intersect(listener, []).Should().BeTrue();
        Hostnames.Intersect(listener, ["web.example.com"]).Should().BeTrue();
    }

    [Theory]
    [InlineData("web.example.com")]
    [InlineData("*.example.com")]
    public void Route_without_hostnames_matches_every_listener(string listener) => Hostnames.Intersect(listener, []).Should().BeTrue();

    [Fact]
    public void One_matching_hostname_of_a_route_is_sufficient()
    {
        Hostnames.Intersect("*.example.com", ["a.example.org", "b.example.com"]).Should().BeTrue();
        Hostnames.Intersect("*.example.com", ["a.example.org", "b.example.net"]).Should().BeFalse();
    }

    [Theory]
    [InlineData("*.example.com", "")]
    [InlineData("web.example.com", "")]
    [InlineData("*.", "")]
    [InlineData("*", "web.example.com")]
    public void Invalid_hostname_matches_nothing(string listener, string route) =>
        Hostnames.Intersect(listener, [route]).Should().BeFalse();
}
