using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Manager.Routes;

/// <summary>
/// An error of the management cluster's API server that the tenant can correct; it is reported in a condition. All other errors concern the
/// manager or the administrator and are retried: a namespace that is being deleted, missing permissions, conflicts, missing
/// CustomResourceDefinitions, server errors. Their messages name objects that the tenant must not see.
/// </summary>
/// <param name="Reason">The reason of the Route's condition.</param>
/// <param name="Message">The message for the tenant.</param>
/// <param name="IsRetryable">Whether a later attempt may succeed without a change of the tenant's object.</param>
internal sealed record TenantFacingApiError(string Reason, string Message, bool IsRetryable)
{
    private const string NoReason = "no reason was given";

    /// <summary>Classifies an error; null if it does not concern the tenant.</summary>
    /// <param name="kind">Kind of the rejected object.</param>
    /// <param name="failure">The response of the API server.</param>
    public static TenantFacingApiError? Of(string kind, HttpOperationException failure)
    {
        var status = ApiStatus.Parse(failure.Response?.Content);
        return failure.Response?.StatusCode switch
        {
            // Webhooks, policies and quotas that the administrator set up for tenants. Other errors 403 are missing permissions.
            HttpStatusCode.BadRequest
            or HttpStatusCode.Forbidden
            or HttpStatusCode.RequestEntityTooLarge
            or HttpStatusCode.UnprocessableEntity when AdmissionDenial.Of(status) is { } denial => Denied(kind, denial),

            // Schema and CEL rules of Envoy Gateway's and Gateway API's CRDs, or validation of Services.
            HttpStatusCode.UnprocessableEntity => Rejected(kind, Causes(status) ?? status?.Message),

            // The object cannot be decoded or is too large, which only the tenant's object can cause.
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge => Rejected(kind, status?.Message),
            _ => null,
        };
    }

    private static TenantFacingApiError Denied(string kind, AdmissionDenial denial) =>
        denial.IsQuota
            ? new(RouteConditions.QuotaExceeded, Messages.QuotaExceeded(kind), IsRetryable: true)
            : new(RouteConditions.AdmissionDenied, Messages.AdmissionDenied(kind, denial.Explanation ?? NoReason), IsRetryable: true);

    private static TenantFacingApiError Rejected(string kind, string? explanation) =>
        new(RouteConditions.InstallationFailed, Messages.ObjectRejected(kind, explanation ?? $"{NoReason}."), IsRetryable: false);

    // The status message begins with the name of the generated object, the causes do not.
    private static string? Causes(V1Status? status) =>
        status?.Details?.Causes is { Count: > 0 } causes
            ? string.Join("; ", causes.Select(c => string.IsNullOrEmpty(c.Field) ? c.Message : $"{c.Field}: {c.Message}"))
            : null;
}
