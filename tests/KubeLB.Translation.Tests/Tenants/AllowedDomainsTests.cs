using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class AllowedDomainsTests
{
    [Theory]
    [InlineData("example.com", "example.com", true)]
    [InlineData("example.com", "a.example.com", false)]
    [InlineData("example.com", "*.example.com", false)]
    [InlineData("*.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "*.example.com", true)]
    [InlineData("*.example.com", "example.com", true)]
    [InlineData("*.example.com", "a.b.example.com", false)]
    [InlineData("*.example.com", "*.a.example.com", false)]
    [InlineData("*.example.com", "badexample.com", false)]
    [InlineData("*.example.com", "example.com.evil.org", false)]
    [InlineData("*.example.com", ".example.com", false)]
    [InlineData("*.example.com", "a.example.com.", false)]
    [InlineData("*.example.com", "a.example.com:80", false)]
    [InlineData("*.example.com", "a.example.com\n", false)]
    [InlineData("*.example.com", "*", false)]
    [InlineData("*.example.com", "*.com", false)]
    [InlineData("**.example.com", "a.b.c.example.com", true)]
    [InlineData("**.example.com", "*.b.example.com", true)]
    [InlineData("**.example.com", "example.com", true)]
    [InlineData("**.example.com", "notexample.com", false)]
    [InlineData("*.EXAMPLE.com", "A.example.COM", true)]
    [InlineData("*", "anything.org", true)]
    [InlineData("**", "*", true)]
    [Trait("Threat", "hostnames")]
    public void Domain_allows_matching_hostnames(string domain, string hostname, bool allows) =>
        AllowedDomains.Parse([domain]).Allows(hostname).Should().Be(allows);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [Trait("Threat", "hostnames")]
    public void Missing_hostname_requires_every_domain(string? hostname)
    {
        AllowedDomains.Parse(["*.example.com", "**.example.org"]).Allows(hostname).Should().BeFalse();
        AllowedDomains.Parse(["*.example.com", "*"]).Allows(hostname).Should().BeTrue();
    }

    [Fact]
    public void Empty_list_allows_everything_and_invalid_list_nothing()
    {
        AllowedDomains.Parse(null).IsEvery.Should().BeTrue();
        AllowedDomains.Parse([]).IsEvery.Should().BeTrue();
        AllowedDomains.Parse(["exa mple.com", "a.*.com", "*example.com", "-a.com", "a..com"]).Allows("example.com").Should().BeFalse();
        AllowedDomains.Parse(["***"]).Allows(null).Should().BeFalse();
    }

    [Theory]
    [InlineData("*")]
    [InlineData("**.a.b")]
    [InlineData("com")]
    public void Valid_domain_is_accepted(string domain) => AllowedDomains.IsValid(domain).Should().BeTrue();

    [Fact]
    public void Domain_of_more_than_256_characters_is_invalid()
    {
        var name = string.Concat(Enumerable.Repeat("a23456789.", 25)) + "a2.com";

        name.Length.Should().Be(256);
        AllowedDomains.IsValid(name).Should().BeTrue();
        AllowedDomains.IsValid("b" + name).Should().BeFalse();
    }

    [Fact]
    public void List_of_10_domains_is_complete() =>
        AllowedDomains.Parse([.. Enumerable.Range(0, 10).Select(i => $"d{i}.example.com")]).ToString().Should().EndWith("d9.example.com");

    [Fact]
    public void Long_list_is_truncated()
    {
        var text = AllowedDomains.Parse([.. Enumerable.Range(0, 25).Select(i => $"d{i:00}.example.com")]).ToString();

        text.Should().StartWith("d00.example.com, d01").And.EndWith("d09.example.com and 15 more");
    }
}
