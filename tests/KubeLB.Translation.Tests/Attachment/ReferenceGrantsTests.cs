using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;

namespace KubeLB.Translation.Tests.Attachment;

public sealed class ReferenceGrantsTests
{
    private static readonly CrossReference Reference = new("HTTPRoute", "apps", "Service", "shop", "web");

    [Fact]
    public void One_entry_of_each_list_is_sufficient() =>
        IsPermitted(
                Grant(
                    [From("GRPCRoute", "apps"), From("HTTPRoute", "apps"), From("HTTPRoute", "other")],
                    [To("Secret"), To("Service", "other"), To("Service", "web")]
                )
            )
            .Should()
            .BeTrue();

    [Fact]
    public void Two_grants_that_match_one_object_each_permit_nothing() =>
        IsPermitted(
                Grant([From("HTTPRoute", "apps")], [To("Service", "other")]),
                Grant([From("HTTPRoute", "other")], [To("Service", "web")])
            )
            .Should()
            .BeFalse();

    [Fact]
    public void Grant_without_entries_permits_nothing()
    {
        IsPermitted(new ReferenceGrant { Metadata = Metadata("shop") }).Should().BeFalse();
        IsPermitted(Grant([From("HTTPRoute", "apps")], null)).Should().BeFalse();
        IsPermitted(Grant(null, [To("Service")])).Should().BeFalse();
    }

    [Theory]
    [InlineData("", "gateway.networking.k8s.io", true)]
    [InlineData("apps", "gateway.networking.k8s.io", false)]
    [InlineData("", "", false)]
    public void Groups_of_both_objects_must_match(string toGroup, string fromGroup, bool expected)
    {
        var (from, to) = (From("HTTPRoute", "apps"), To("Service"));
        (from.Group, to.Group) = (fromGroup, toGroup);

        IsPermitted(Grant([from], [to])).Should().Be(expected);
    }

    private static bool IsPermitted(params ReferenceGrant[] grants)
    {
        var tenant = new TenantStub();
        tenant.Grants.AddRange(grants);
        return ReferenceGrants.IsPermitted(Reference, tenant);
    }

    private static ReferenceGrant Grant(List<ReferenceGrantFrom>? from, List<ReferenceGrantTo>? to) =>
        new()
        {
            Metadata = Metadata("shop"),
            Spec = new ReferenceGrantSpec { From = from, To = to },
        };

    private static ReferenceGrantFrom From(string kind, string @namespace) =>
        new()
        {
            Group = "gateway.networking.k8s.io",
            Kind = kind,
            Namespace = @namespace,
        };

    private static ReferenceGrantTo To(string kind, string? name = null) => new() { Kind = kind, Name = name };

    private static V1ObjectMeta Metadata(string @namespace) => new() { Name = "grant", NamespaceProperty = @namespace };
}
