using KubeLB.Api.Naming;

namespace KubeLB.Api.Tests.Naming;

public sealed class TenantNamesTests
{
    [Theory]
    [InlineData("t1", "tenant-t1")]
    [InlineData("tenant-t1", "tenant-t1")]
    [InlineData("tenant", "tenant-tenant")]
    [InlineData("Tenant-t1", "tenant-Tenant-t1")]
    public void Tenant_with_and_without_prefix_is_the_same(string tenant, string @namespace)
    {
        TenantNames.Namespace(tenant).Should().Be(@namespace);
        TenantNames.Proxy(tenant).Should().Be("envoy-" + @namespace);
    }

    [Fact]
    public void Name_of_a_token_Secret_is_never_used_again()
    {
        var names = new List<string> { TenantNames.Ccm };
        foreach (var rotation in new[] { "a", "b", "a", "b", "a" })
        {
            names.Add(TenantNames.RotatedToken(names[^1], "uid", rotation));
        }

        names.Should().OnlyHaveUniqueItems().And.OnlyContain(n => n.Length <= 21 && n != TenantNames.KubeconfigSecret);
        TenantNames.RotatedToken("kubelb-ccm", "uid", "a").Should().Be(names[1], "a retry writes the same Secret");
        TenantNames.RotatedToken("kubelb-ccm", "other", "a").Should().NotBe(names[1], "a tenant must not know the name in advance");
    }

    [Theory]
    [InlineData("tenant-t1", "t1")]
    [InlineData("tenant-tenant-t1", "tenant-t1")]
    [InlineData("tenant-", null)]
    [InlineData("tenant", null)]
    [InlineData("kubelb", null)]
    [InlineData("my-tenant-t1", null)]
    [InlineData("", null)]
    public void Namespace_with_prefix_and_name_belongs_to_a_tenant(string @namespace, string? tenant) =>
        TenantNames.TenantOf(@namespace).Should().Be(tenant);
}
