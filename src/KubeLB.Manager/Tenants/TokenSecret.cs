using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using k8s.Models;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Reads the Secret with the token of a tenant's CCM. The token controller writes the UID of the account to an annotation; if the Go
/// manager removed that annotation, the UID is read from the claims of the token.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller</remarks>
internal static class TokenSecret
{
    private const string LegacyUid = "kubernetes.io/serviceaccount/service-account.uid";
    private const int MaxTokenLength = 1 << 16;

    /// <summary>The token; null if it has not been written yet.</summary>
    public static string? TokenOf(V1Secret secret) =>
        secret.Data?.TryGetValue("token", out var token) == true && token.Length > 0 ? Encoding.UTF8.GetString(token) : null;

    /// <summary>Whether the Secret has the UID annotation by which the token controller deletes it with the account.</summary>
    public static bool IsTracked(V1Secret secret) => Annotation(secret) is not null;

    /// <summary>
    /// Whether the token belongs to the account. If neither annotation nor token contains a UID, the result is false for a Secret that is
    /// older than the account.
    /// </summary>
    public static bool BelongsTo(V1Secret secret, V1ServiceAccount account) =>
        (Annotation(secret) ?? (TokenOf(secret) is { } token ? AccountUid(token) : null)) is { } uid
            ? uid == account.Metadata.Uid
            : secret.Metadata.CreationTimestamp >= account.Metadata.CreationTimestamp;

    /// <summary>
    /// UID of the account in the claims of a token; null if it is not a JSON Web Token of a ServiceAccount. The signature is not verified:
    /// the token controller wrote the Secret.
    /// </summary>
    internal static string? AccountUid(string token)
    {
        var parts = token.Split('.', 4);
        if (token.Length > MaxTokenLength || parts.Length != 3 || !Base64Url.IsValid(parts[1]))
        {
            return null;
        }

        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            return Text(claims.RootElement, LegacyUid)
                ?? Text(Member(Member(claims.RootElement, "kubernetes.io"), "serviceaccount"), "uid");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? Annotation(V1Secret secret) =>
        secret.Metadata.Annotations?.TryGetValue(TenantObjects.TokenAccountUid, out var uid) == true && uid.Length > 0 ? uid : null;

    private static JsonElement Member(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement value, string name) =>
        Member(value, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}
