using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Routing;

public sealed class HostnamesTests
{
    [Theory]
    [InlineData("", "anything.example.com", true)]
    [InlineData("api.example.com", "api.example.com", true)]
    [InlineData("api.example.com", "API.example.com", true)]
    [InlineData("api.example.com", "web.example.com", false)]
    [InlineData("*.example.com", "api.example.com", true)]
    [InlineData("*.example.com", "a.b.example.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*.example.com", ".example.com", false)]
    [InlineData("*.example.com", "apiexample.com", false)]
    public void Wildcard_hostname_matches_one_or_more_labels(string name, string host, bool matches) =>
        Hostnames.Matches(name, host).Should().Be(matches);

    [Theory]
    [InlineData("", "", "")]
    [InlineData("", "api.example.com", "api.example.com")]
    [InlineData("api.example.com", "", "api.example.com")]
    [InlineData("*.example.com", "api.example.com", "api.example.com")]
    [InlineData("api.example.com", "*.example.com", "api.example.com")]
    [InlineData("*.example.com", "*.api.example.com", "*.api.example.com")]
    [InlineData("*.api.example.com", "*.example.com", "*.api.example.com")]
    [InlineData("*.example.com", "*.example.com", "*.example.com")]
    [InlineData("*.example.com", "example.com", null)]
    [InlineData("api.example.com", "web.example.com", null)]
    [InlineData("*.example.com", "*.example.org", null)]
    public void Hostname_intersection_is_the_more_specific_hostname(string listener, string route, string? common) =>
        Hostnames.Intersect(listener, route).Should().Be(common);

    [Fact]
    public void Hostname_order_is_exact_before_wildcard_and_longest_first()
    {
        string[] names = ["", "*.com", "a.com", "*.example.com", "api.example.com"];

        names
            .Order(Comparer<string>.Create(Hostnames.CompareSpecificity))
            .Should()
            .Equal("api.example.com", "a.com", "*.example.com", "*.com", "");
    }

    [Theory]
    [InlineData("API.example.com:8080", "api.example.com")]
    [InlineData("api.example.com", "api.example.com")]
    [InlineData("[::1]:8080", "[::1]")]
    [InlineData("127.0.0.1:80", "127.0.0.1")]
    [InlineData("", "")]
    public void Host_header_with_port_is_matched_without_port(string header, string host) => Hostnames.FromHeader(header).Should().Be(host);
}
