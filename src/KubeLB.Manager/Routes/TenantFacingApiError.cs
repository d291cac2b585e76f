using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Manager.Routes;

/// <summary>
/// An error of the management cluster's API server that the tenant can correct; it is reported in a condition. All other errors concern the
/// manager or the administrator and are retried: a namespace that is being deleted, missing permissions, conflicts, missing
/// CustomResourceDefinitions, server errors. Their messages name objects that the tenant must not see.
/// </summary>
/// <param name="Message">The message for the tenant.</param>
/// <param name="IsRetryable">Whether a later attempt may succeed without a change of the tenant's object.</param>
internal sealed record TenantFacingApiError(string Message, bool IsRetryable)
{
    // Messages of Kubernetes: apiserver/pkg/admission/plugin/webhook/errors and admission/plugin/resourcequota.
    private const string DeniedByWebhook = "admission webhook ";
    private const string Denied = "denied the request: ";
    private const string ExceededQuota = "exceeded quota: ";

    /// <summary>Classifies an error; null if it does not concern the tenant.</summary>
    /// <param name="kind">Kind of the rejected object.</param>
    /// <param name="failure">The response of the API server.</param>
    public static TenantFacingApiError? Of(string kind, HttpOperationException failure)
    {
        var status = ApiStatus.Parse(failure.Response?.Content);
        return failure.Response?.StatusCode switch
        {
            // Schema and CEL rules of Envoy Gateway's and Gateway API's CRDs, validation of Services, or admission policies.
            HttpStatusCode.UnprocessableEntity => Rejection(kind, Causes(status) ?? status?.Message),

            // The object cannot be decoded or is too large, which only the tenant's object can cause.
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge => Rejection(kind, Explanation(status?.Message)),
            HttpStatusCode.Forbidden => OfForbidden(kind, status?.Message ?? ""),
            _ => null,
        };
    }

    // 403 means missing permissions or NamespaceTerminating, but also webhooks and quotas that the administrator set up for tenants.
    private static TenantFacingApiError? OfForbidden(string kind, string message)
    {
        if (message.StartsWith(DeniedByWebhook, StringComparison.Ordinal))
        {
            return Rejection(kind, Explanation(message));
        }

        return message.Contains(ExceededQuota, StringComparison.Ordinal)
            ? new TenantFacingApiError(Messages.QuotaExceeded(kind), IsRetryable: true)
            : null;
    }

    private static TenantFacingApiError Rejection(string kind, string? explanation) =>
        new(Messages.ObjectRejected(kind, explanation ?? "no reason was given."), IsRetryable: false);

    // The webhook's own message, without the webhook's name.
    private static string? Explanation(string? message)
    {
        var denied =
            message?.StartsWith(DeniedByWebhook, StringComparison.Ordinal) == true ? message.IndexOf(Denied, StringComparison.Ordinal) : -1;
        return denied < 0 ? message : message![(denied + Denied.Length)..];
    }

    // The status message begins with the name of the generated object, the causes do not.
    private static string? Causes(V1Status? status) =>
        status?.Details?.Causes is { Count: > 0 } causes
            ? string.Join("; ", causes.Select(c => string.IsNullOrEmpty(c.Field) ? c.Message : $"{c.Field}: {c.Message}"))
            : null;
}
