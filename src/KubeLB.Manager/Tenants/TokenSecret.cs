using System.Text;
using k8s.Models;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Reads the Secret with the token of a tenant's CCM. The token controller writes the UID of the account to an annotation; if the Go
/// manager removed that annotation, the UID is read from the claims of the token.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller</remarks>
internal static class TokenSecret
{
    /// <summary>The token; null if it has not been written yet.</summary>
    public static string? TokenOf(V1Secret secret) =>
        secret.Data?.TryGetValue("token", out var token) == true && token.Length > 0 ? Encoding.UTF8.GetString(token) : null;

    /// <summary>Index value of the Secrets with tokens of a tenant's CCM: the namespace.</summary>
    public static IEnumerable<string> Namespace(V1Secret secret) =>
        secret.Type == TenantObjects.TokenType
        && secret.Metadata.Annotations?.TryGetValue(TenantObjects.TokenAccount, out var account) == true
        && account == TenantNames.Ccm
            ? [secret.Namespace()]
            : [];

    /// <summary>Whether the Secret has the UID annotation by which the token controller deletes it with the account.</summary>
    public static bool IsTracked(V1Secret secret) => Annotation(secret) is not null;

    /// <summary>
    /// Whether the token belongs to the account. If neither annotation nor token contains a UID, the result is false for a Secret that is
    /// older than the account.
    /// </summary>
    public static bool BelongsTo(V1Secret secret, V1ServiceAccount account) =>
        (Annotation(secret) ?? (TokenOf(secret) is { } token ? ServiceAccountToken.AccountUid(token) : null)) is { } uid
            ? uid == account.Metadata.Uid
            : secret.Metadata.CreationTimestamp >= account.Metadata.CreationTimestamp;

    private static string? Annotation(V1Secret secret) =>
        secret.Metadata.Annotations?.TryGetValue(TenantObjects.TokenAccountUid, out var uid) == true && uid.Length > 0 ? uid : null;
}
