using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class TenantClaimsTests
{
    private static readonly DateTime Monday = new(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_tenant_alone_has_its_namespace()
    {
        var tenant = Named("t", Monday);

        TenantClaims.Holder([tenant]).Should().BeSameAs(tenant);
        TenantClaims.Problem(tenant, [tenant]).Should().BeNull();
        TenantClaims.Holder([]).Should().BeNull();
    }

    [Fact]
    public void Of_two_names_that_mean_the_same_the_older_one_counts_whatever_the_order()
    {
        var (older, newer) = (Named("tenant-t", Monday), Named("t", Monday.AddSeconds(1)));

        foreach (var claimants in new[] { new[] { older, newer }, [newer, older] })
        {
            TenantClaims.Holder(claimants).Should().BeSameAs(older);
            TenantClaims.Problem(older, claimants).Should().BeNull();
            TenantClaims
                .Problem(newer, claimants)
                .Should()
                .Contain("tenant-t and t mean the same tenant")
                .And.Contain("delete one of the two");
        }
    }

    [Fact]
    public void Two_of_one_second_are_told_apart_by_name()
    {
        var (first, second) = (Named("t", Monday), Named("tenant-t", Monday));

        TenantClaims.Problem(first, [second, first]).Should().BeNull();
        TenantClaims.Problem(second, [second, first]).Should().NotBeNull();
    }

    [Theory]
    [InlineData(56, true)]
    [InlineData(57, false)]
    public void The_namespace_has_to_fit(int length, bool fits)
    {
        var tenant = Named(new string('a', length), Monday);

        (TenantClaims.Problem(tenant, [tenant]) is null).Should().Be(fits);
    }

    [Theory]
    [InlineData("a.b", "without dots")]
    [InlineData("tenant-", "prefix")]
    public void A_name_that_no_namespace_can_have_is_refused_with_advice(string name, string advice) =>
        TenantClaims.Problem(Named(name, Monday), []).Should().Contain(advice).And.Contain("create the Tenant anew");

    private static Tenant Named(string name, DateTime created) =>
        new()
        {
            Metadata = new() { Name = name, CreationTimestamp = created },
        };
}
