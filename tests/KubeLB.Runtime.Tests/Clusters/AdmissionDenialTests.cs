using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Tests.Clusters;

/// <summary>Which errors of an API server are denials of an admission plugin, and what is quoted of them.</summary>
public sealed class AdmissionDenialTests
{
    [Theory]
    [InlineData("admission webhook \"rules.internal\" denied the request: no such domain", false, "no such domain")]
    [InlineData("admission webhook \"rules.internal\" denied the request without explanation", false, null)]
    [InlineData(
        "httproutes.gateway.networking.k8s.io \"default-r\" is forbidden: ValidatingAdmissionPolicy 'rules' with binding 'all' "
            + "denied request: no such domain",
        false,
        "no such domain"
    )]
    [InlineData("services \"default-r-s\" is forbidden: exceeded quota: tenant, requested: services=1", true, null)]
    public void Denial_is_read_without_the_names_of_the_plugin(string message, bool isQuota, string? explanation) =>
        AdmissionDenial.Of(new V1Status { Message = message }).Should().Be(new AdmissionDenial(isQuota, explanation));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("routes is forbidden: User \"system:serviceaccount:t:ccm\" cannot create resource \"routes\"")]
    [InlineData("routes \"r\" is forbidden: unable to create new content in namespace t because it is being terminated")]
    [InlineData("failed calling webhook \"rules.internal\": connection refused")]
    [InlineData("admission webhook \"rules.internal\" attempted to modify the object, which is not supported for this operation")]
    public void Other_error_is_no_denial(string? message) => AdmissionDenial.Of(new V1Status { Message = message }).Should().BeNull();

    [Fact]
    public void Missing_Status_is_no_denial() => AdmissionDenial.Of(null).Should().BeNull();
}
