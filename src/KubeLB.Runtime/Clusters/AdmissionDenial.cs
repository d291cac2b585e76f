using k8s.Models;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// A request that an admission plugin of an API server denied: a quota, a webhook or a ValidatingAdmissionPolicy. Missing permissions and
/// namespaces that are being deleted have the same status code, and are none.
/// </summary>
/// <param name="IsQuota">Whether a ResourceQuota is used up.</param>
/// <param name="Explanation">The plugin's message without the names of the plugin and of the object; null if it has none.</param>
public sealed record AdmissionDenial(bool IsQuota, string? Explanation)
{
    // Messages of Kubernetes: apiserver/pkg/admission/plugin/webhook/errors, plugin/policy/validating and plugin/resourcequota.
    private const string Webhook = "admission webhook ";
    private const string WebhookDenied = "denied the request: ";
    private const string WebhookGaveNoReason = "denied the request without explanation";
    private const string Policy = "ValidatingAdmissionPolicy '";
    private const string PolicyDenied = " denied request: ";
    private const string ExceededQuota = "exceeded quota: ";

    /// <summary>Reads the denial from the Status of an error; null if no plugin denied the request.</summary>
    public static AdmissionDenial? Of(V1Status? status)
    {
        var message = status?.Message ?? "";
        if (message.StartsWith(Webhook, StringComparison.Ordinal))
        {
            return After(message, 0, WebhookDenied) is { } reason ? new AdmissionDenial(false, reason)
                : message.EndsWith(WebhookGaveNoReason, StringComparison.Ordinal) ? new AdmissionDenial(false, null)
                : null;
        }

        return message.IndexOf(Policy, StringComparison.Ordinal) is >= 0 and var start && After(message, start, PolicyDenied) is { } denied
                ? new AdmissionDenial(false, denied)
            : message.Contains(ExceededQuota, StringComparison.Ordinal) ? new AdmissionDenial(true, null)
            : null;
    }

    private static string? After(string text, int start, string marker) =>
        text.IndexOf(marker, start, StringComparison.Ordinal) is >= 0 and var found ? text[(found + marker.Length)..] : null;
}
