using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class TenantClaimsTests
{
    private static readonly DateTime Monday = new(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Only_Tenant_owns_its_namespace()
    {
        var tenant = Named("t", Monday);

        TenantClaims.Holder([tenant]).Should().BeSameAs(tenant);
        TenantClaims.Problem(tenant, [tenant]).Should().BeNull();
        TenantClaims.Holder([]).Should().BeNull();
    }

    [Fact]
    public void Older_Tenant_owns_the_namespace_in_any_order()
    {
        var (older, newer) = (Named("tenant-t", Monday), Named("t", Monday.AddSeconds(1)));

        foreach (var claimants in new[] { new[] { older, newer }, [newer, older] })
        {
            TenantClaims.Holder(claimants).Should().BeSameAs(older);
            TenantClaims.Problem(older, claimants).Should().BeNull();
            TenantClaims
                .Problem(newer, claimants)
                .Should()
                .Contain("already belongs to Tenant tenant-t")
                .And.Contain("Delete one of the two");
        }
    }

    [Fact]
    public void Tenants_of_the_same_second_are_ordered_by_name()
    {
        var (first, second) = (Named("t", Monday), Named("tenant-t", Monday));

        TenantClaims.Problem(first, [second, first]).Should().BeNull();
        TenantClaims.Problem(second, [second, first]).Should().NotBeNull();
    }

    [Theory]
    [InlineData(56, true)]
    [InlineData(57, false)]
    public void Too_long_namespace_is_rejected(int length, bool fits)
    {
        var tenant = Named(new string('a', length), Monday);

        (TenantClaims.Problem(tenant, [tenant]) is null).Should().Be(fits);

        if (!fits)
        {
            TenantClaims.Problem(tenant, [tenant]).Should().Contain("at most 56 characters");
        }
    }

    [Theory]
    [InlineData("a.b", "without dots")]
    [InlineData("tenant-", "only the prefix")]
    public void Invalid_Tenant_name_is_rejected_with_a_remedy(string name, string advice) =>
        TenantClaims.Problem(Named(name, Monday), []).Should().Contain(advice).And.Contain("Recreate the Tenant");

    private static Tenant Named(string name, DateTime created) =>
        new()
        {
            Metadata = new() { Name = name, CreationTimestamp = created },
        };
}
