using KubeLB.Api;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>A tenant reads the names of its own objects, never those of the management cluster.</summary>
public sealed class TenantTextTests
{
    [Theory]
    [InlineData("No listeners match this parent ref", "No listeners match this parent ref")]
    [InlineData(
        "service tenant-t1/default-web-web not found, port of tenant-t1/default-web-web",
        "service default/web not found, port of default/web"
    )]
    [InlineData("conflicting listeners: tenant-t1/default-gw/a, tenant-t1/default-gw/b", "conflicting listeners: infra/gw/a, infra/gw/b")]
    // Of another tenant, or not known.
    [InlineData("overlaps with tenant-other/default-web-web-2", "ONLY")]
    [InlineData("overlaps with tenant-t1/unknown", "ONLY")]
    [InlineData("service tenant-t1/unresolved-c454628bbd66570c0182f5ce238cf8dc not found", "ONLY")]
    [InlineData("service unresolved-c454628bbd66570c0182f5ce238cf8dc not found", "ONLY")]
    // Not names of objects of the management cluster.
    [InlineData("see https://example.com/tenant-t1/x and my-tenant-a/b", "see https://example.com/tenant-t1/x and my-tenant-a/b")]
    public void Names_of_generated_objects_are_replaced_or_not_disclosed(string reported, string expected)
    {
        var text = TenantText.Translate(
            reported,
            "HostnameConflict",
            name =>
                name switch
                {
                    "default-web-web" => "default/web",
                    "default-gw" => "infra/gw",
                    _ => null,
                }
        );

        if (expected == "ONLY")
        {
            text.Should().StartWith("Envoy Gateway reports HostnameConflict").And.NotContain("tenant-").And.NotContain("unresolved-");
        }
        else
        {
            text.Should().Be(expected);
        }
    }

    [Theory]
    [InlineData(
        "Invalid filter: unknown type CORS.",
        "The gateway of the management cluster does not support filters of type CORS. Remove them from the rules."
    )]
    [InlineData(
        "Dropped Rule(s) [2]: Failed to process route rule 2: regex \"(\" is invalid: error parsing regexp: missing closing ): `(`.",
        "Dropped Rule(s) [2]: Failed to process route rule 2: regex \"(\" is invalid: error parsing regexp: missing closing ): `(`. "
            + "Correct the regular expression; Envoy uses the syntax of RE2."
    )]
    [InlineData(
        "RequestHeaderModifier Filter did not provide valid configuration to add/set/remove any headers.",
        "RequestHeaderModifier Filter did not provide valid configuration to add/set/remove any headers. "
            + "Header filters cannot set Host; use a URLRewrite filter with hostname."
    )]
    [InlineData("Invalid filter: unknown type.", "Invalid filter: unknown type.")]
    public void Message_without_a_remedy_gets_one(string reported, string expected) =>
        TenantText.Translate(reported, "UnsupportedValue", _ => null).Should().Be(expected);

    [Theory]
    [InlineData("ResolvedRefs", "False", "BackendNotFound", true)]
    [InlineData("ResolvedRefs", "False", "RefNotPermitted", true)]
    [InlineData("ResolvedRefs", "True", "ResolvedRefs", false)]
    [InlineData("ResolvedRefs", "False", "InvalidFilter", false)]
    [InlineData("Accepted", "False", "BackendNotFound", false)]
    public void Missing_backends_are_recognized(string type, string status, string reason, bool expected) =>
        TenantText
            .IsAboutPendingBackends(
                new Condition
                {
                    Type = type,
                    Status = status,
                    Reason = reason,
                }
            )
            .Should()
            .Be(expected);
}
