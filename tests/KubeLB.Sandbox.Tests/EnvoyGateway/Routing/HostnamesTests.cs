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
    public void AWildcardCoversOneOrMoreLabels(string name, string host, bool matches) =>
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
    public void TheMoreSpecificNameIsWhatTheyHaveInCommon(string listener, string route, string? common) =>
        Hostnames.Intersect(listener, route).Should().Be(common);

    [Fact]
    public void ExactNamesComeBeforeWildcardsAndLongerBeforeShorter()
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
    public void AHostHeaderLosesItsPort(string header, string host) => Hostnames.FromHeader(header).Should().Be(host);
}
