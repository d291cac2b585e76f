using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Manager.Routes;

/// <summary>
/// Which refusals of the management cluster's API server are for the tenant to mend. They become a condition; all others are the
/// manager's or the operator's and are tried again: a namespace that is being deleted, missing rights of the manager, conflicts, missing
/// CustomResourceDefinitions, trouble of the server. Their messages name things that are none of the tenant's business.
/// </summary>
/// <param name="Message">What is wrong, in words for the tenant.</param>
/// <param name="MayPass">Whether a later attempt may succeed although nothing of the tenant's changed.</param>
internal sealed record TenantFacingApiError(string Message, bool MayPass)
{
    // The words of Kubernetes: apiserver/pkg/admission/plugin/webhook/errors and admission/plugin/resourcequota.
    private const string DeniedByWebhook = "admission webhook ";
    private const string Denied = "denied the request: ";
    private const string ExceededQuota = "exceeded quota: ";

    /// <summary>The tenant's fault in a refusal; null if it is none.</summary>
    /// <param name="kind">Kind of the object that was refused.</param>
    /// <param name="refusal">The API server's answer.</param>
    public static TenantFacingApiError? Of(string kind, HttpOperationException refusal)
    {
        var status = ApiStatus.Parse(refusal.Response?.Content);
        return refusal.Response?.StatusCode switch
        {
            // Validation: of the schema and the CEL rules of Envoy Gateway's and Gateway API's CRDs, of Services, and admission policies.
            HttpStatusCode.UnprocessableEntity => Lasting(kind, Causes(status) ?? status?.Message),

            // An object that cannot be decoded or is too large; only what the tenant wrote can make it so.
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge => Lasting(kind, Explanation(status?.Message)),
            HttpStatusCode.Forbidden => OfForbidden(kind, status?.Message ?? ""),
            _ => null,
        };
    }

    // 403 stands for missing rights and for NamespaceTerminating, but also for rules that the operator made for tenants.
    private static TenantFacingApiError? OfForbidden(string kind, string message)
    {
        if (message.StartsWith(DeniedByWebhook, StringComparison.Ordinal))
        {
            return Lasting(kind, Explanation(message));
        }

        return message.Contains(ExceededQuota, StringComparison.Ordinal)
            ? new TenantFacingApiError(
                $"The tenant's quota in the management cluster does not allow for another {kind}. Remove routes, or ask for a "
                    + "larger quota.",
                MayPass: true
            )
            : null;
    }

    private static TenantFacingApiError Lasting(string kind, string? explanation) =>
        new($"The management cluster refuses the {kind}: {explanation ?? "it does not say why."}", MayPass: false);

    // The operator's webhook says in its own words what to change; its name is the operator's.
    private static string? Explanation(string? message)
    {
        var denied =
            message?.StartsWith(DeniedByWebhook, StringComparison.Ordinal) == true ? message.IndexOf(Denied, StringComparison.Ordinal) : -1;
        return denied < 0 ? message : message![(denied + Denied.Length)..];
    }

    // Without the name of the generated object, which the message as a whole begins with.
    private static string? Causes(V1Status? status) =>
        status?.Details?.Causes is { Count: > 0 } causes
            ? string.Join("; ", causes.Select(c => string.IsNullOrEmpty(c.Field) ? c.Message : $"{c.Field}: {c.Message}"))
            : null;
}
