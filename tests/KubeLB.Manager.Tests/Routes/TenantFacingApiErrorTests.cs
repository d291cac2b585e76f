using System.Net;
using System.Text.Json.Nodes;
using k8s.Autorest;
using KubeLB.Manager.Routes;

namespace KubeLB.Manager.Tests.Routes;

[Trait("Threat", "rejected-by-api-server")]
public sealed class TenantFacingApiErrorTests
{
    [Fact]
    public void Validation_error_reports_the_fields_without_the_generated_name()
    {
        var error = Of(
            422,
            "Invalid",
            "HTTPRoute.gateway.networking.k8s.io \"default-r\" is invalid: spec.rules: Too many: 17: must have at most 16 items",
            new JsonObject
            {
                ["causes"] = new JsonArray(
                    new JsonObject
                    {
                        ["reason"] = "FieldValueTooMany",
                        ["field"] = "spec.rules",
                        ["message"] = "Too many: 17: must have at most 16 items",
                    },
                    new JsonObject { ["reason"] = "FieldValueInvalid", ["message"] = "rules must be unique" }
                ),
            }
        );

        error!
            .Message.Should()
            .Be(
                "The management cluster rejected the HTTPRoute: spec.rules: Too many: 17: must have at most 16 items; rules must be unique"
            );
        error.IsRetryable.Should().BeFalse();
        error.Reason.Should().Be("InstallationFailed");
    }

    [Theory]
    [InlineData(400, "BadRequest")]
    [InlineData(413, "RequestEntityTooLarge")]
    [InlineData(422, "Invalid")]
    public void Error_that_only_the_tenant_can_cause_is_reported(int code, string reason) =>
        Of(code, reason, "it is too large")!.Message.Should().Be("The management cluster rejected the HTTPRoute: it is too large");

    [Theory]
    [InlineData(400, "admission webhook \"rules.operator.internal\" denied the request: no such domain", "no such domain")]
    [InlineData(403, "admission webhook \"rules.operator.internal\" denied the request: no such domain", "no such domain")]
    [InlineData(422, "admission webhook \"rules.operator.internal\" denied the request: no such domain", "no such domain")]
    [InlineData(403, "admission webhook \"rules.operator.internal\" denied the request without explanation", "no reason was given")]
    [InlineData(
        422,
        "x \"r\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no such domain",
        "no such domain"
    )]
    public void Denial_reports_the_message_of_the_webhook_or_policy(int code, string message, string explanation)
    {
        var error = Of(code, "Forbidden", message)!;

        error
            .Message.Should()
            .Be(
                $"A policy of the management cluster denied the HTTPRoute: {explanation}. "
                    + "Correct the object, or ask the administrator to permit it."
            );
        error.Reason.Should().Be("AdmissionDenied");
        error.IsRetryable.Should().BeTrue("the administrator can change the policy");
    }

    [Fact]
    public void Exceeded_quota_is_reported_and_retried()
    {
        var error = Of(
            403,
            "Forbidden",
            "services \"default-r-s\" is forbidden: exceeded quota: tenant, requested: count/services=1, used: count/services=5, "
                + "limited: count/services=5"
        );

        error!.IsRetryable.Should().BeTrue();
        error.Reason.Should().Be("QuotaExceeded");
        error.Message.Should().Contain("quota").And.NotContain("default-r-s");
    }

    [Fact]
    public void Terminating_namespace_is_not_reported_to_the_tenant() =>
        Of(
                403,
                "Forbidden",
                "httproutes.gateway.networking.k8s.io \"default-r\" is forbidden: unable to create new content in namespace "
                    + "tenant-t because it is being terminated",
                new JsonObject
                {
                    ["causes"] = new JsonArray(
                        new JsonObject
                        {
                            ["reason"] = "NamespaceTerminating",
                            ["field"] = "metadata.namespace",
                            ["message"] = "namespace tenant-t is being terminated",
                        }
                    ),
                }
            )
            .Should()
            .BeNull();

    [Fact]
    public void Missing_permissions_are_not_reported_to_the_tenant() =>
        Of(
                403,
                "Forbidden",
                "httproutes.gateway.networking.k8s.io is forbidden: User \"system:serviceaccount:kubelb:kubelb\" cannot create "
                    + "resource \"httproutes\" in API group \"gateway.networking.k8s.io\" in the namespace \"tenant-t\""
            )
            .Should()
            .BeNull();

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public void Temporary_server_error_is_not_reported_to_the_tenant(int code) => Of(code, "Whatever", "no").Should().BeNull();

    [Fact]
    public void Response_that_is_not_a_Status_is_not_quoted() =>
        TenantFacingApiError.Of("HTTPRoute", Rejection(413, "<html>proxy.internal</html>"))!.Message.Should().NotContain("proxy");

    private static TenantFacingApiError? Of(int code, string reason, string message, JsonObject? details = null) =>
        TenantFacingApiError.Of(
            "HTTPRoute",
            Rejection(
                code,
                new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "Status",
                    ["status"] = "Failure",
                    ["reason"] = reason,
                    ["code"] = code,
                    ["message"] = message,
                    ["details"] = details,
                }.ToJsonString()
            )
        );

    private static HttpOperationException Rejection(int code, string content)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)code);
        return new HttpOperationException("rejected") { Response = new HttpResponseMessageWrapper(response, content) };
    }
}
