using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using k8s.Models;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Reads the Secret with the token of a tenant's CCM. The cluster's token controller writes the UID of the account beside the token; the Go
/// manager removes it, and then the token itself says whose it is. Pure.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller</remarks>
internal static class TokenSecret
{
    private const string LegacyUid = "kubernetes.io/serviceaccount/service-account.uid";
    private const int LongestToken = 1 << 16;

    /// <summary>The token; null if it is not there yet.</summary>
    public static string? TokenOf(V1Secret secret) =>
        secret.Data?.TryGetValue("token", out var token) == true && token.Length > 0 ? Encoding.UTF8.GetString(token) : null;

    /// <summary>Whether the cluster's token controller knows the account that the token is of, and so removes the Secret with it.</summary>
    public static bool IsTracked(V1Secret secret) => Annotation(secret) is not null;

    /// <summary>
    /// Whether the token is one of the account. Where neither annotation nor token say it, a Secret that is older than the account is not.
    /// </summary>
    public static bool IsOf(V1Secret secret, V1ServiceAccount account) =>
        (Annotation(secret) ?? (TokenOf(secret) is { } token ? AccountUid(token) : null)) is { } uid
            ? uid == account.Metadata.Uid
            : secret.Metadata.CreationTimestamp >= account.Metadata.CreationTimestamp;

    /// <summary>
    /// UID of the account that a token is of, as its claims say; null if it is not a JSON Web Token of an account. Not verified: the Secret
    /// is the cluster's own.
    /// </summary>
    internal static string? AccountUid(string token)
    {
        var parts = token.Split('.', 4);
        if (token.Length > LongestToken || parts.Length != 3 || !Base64Url.IsValid(parts[1]))
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
