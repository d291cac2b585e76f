using System.Net;
using System.Text.Json.Nodes;
using k8s.Autorest;
using KubeLB.Ccm.Registration;

namespace KubeLB.Ccm.Tests.Registration;

/// <summary>The reason that a tenant's object has if the management cluster rejects its Route.</summary>
public sealed class ManagementRejectionTests
{
    [Theory]
    [InlineData(403, "admission webhook \"rules.internal\" denied the request: no such domain", "AdmissionDenied", false)]
    [InlineData(422, "admission webhook \"rules.internal\" denied the request: no such domain", "AdmissionDenied", false)]
    [InlineData(403, "routes \"u\" is forbidden: exceeded quota: tenant, requested: count/routes=1", "QuotaExceeded", false)]
    [InlineData(403, "routes is forbidden: User \"x\" cannot create resource \"routes\"", "ManagementClusterRejected", true)]
    [InlineData(422, "Route \"u\" is invalid: spec: Too long", "ManagementClusterRejected", false)]
    [InlineData(413, "too large", "ManagementClusterRejected", false)]
    [InlineData(401, "Unauthorized", "ManagementClusterRejected", true)]
    public void Rejected_Route_reports_the_reason_of_the_rejection(int code, string message, string reason, bool isOfTenant)
    {
        var rejection = ManagementRejection.Of(Failure(code, message), "routes.kubelb.k8c.io", "tenant-t1")!;

        rejection.Reason.Should().Be(reason);
        rejection.IsOfTenant.Should().Be(isOfTenant);
        rejection.Message.Should().NotContain("rules.internal").And.NotContain("tenant-t1");
    }

    [Theory]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(503)]
    public void Temporary_failure_is_no_rejection(int code) =>
        ManagementRejection.Of(Failure(code, "later"), "routes.kubelb.k8c.io", "tenant-t1").Should().BeNull();

    private static HttpOperationException Failure(int code, string message)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)code);
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["code"] = code,
            ["message"] = message,
        };
        return new HttpOperationException(message) { Response = new HttpResponseMessageWrapper(response, status.ToJsonString()) };
    }
}
