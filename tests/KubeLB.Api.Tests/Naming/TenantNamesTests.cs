using KubeLB.Api.Naming;

namespace KubeLB.Api.Tests.Naming;

public sealed class TenantNamesTests
{
    [Theory]
    [InlineData("t1", "tenant-t1")]
    [InlineData("tenant-t1", "tenant-t1")]
    [InlineData("tenant", "tenant-tenant")]
    [InlineData("Tenant-t1", "tenant-Tenant-t1")]
    public void A_tenant_is_the_same_with_and_without_the_prefix(string tenant, string @namespace)
    {
        TenantNames.Namespace(tenant).Should().Be(@namespace);
        TenantNames.Proxy(tenant).Should().Be("envoy-" + @namespace);
    }

    [Theory]
    [InlineData("tenant-t1", "t1")]
    [InlineData("tenant-tenant-t1", "tenant-t1")]
    [InlineData("tenant-", null)]
    [InlineData("tenant", null)]
    [InlineData("kubelb", null)]
    [InlineData("my-tenant-t1", null)]
    [InlineData("", null)]
    public void A_namespace_with_the_prefix_and_a_name_is_a_tenants(string @namespace, string? tenant) =>
        TenantNames.TenantOf(@namespace).Should().Be(tenant);
}
