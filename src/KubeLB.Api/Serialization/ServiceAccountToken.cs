using System.Buffers.Text;
using System.Text.Json;

namespace KubeLB.Api.Serialization;

/// <summary>
/// Claims of a token of a ServiceAccount, a JSON Web Token. The signature is not verified, so the claims are information and grant nothing.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/</remarks>
public static class ServiceAccountToken
{
    private const string Legacy = "kubernetes.io/serviceaccount/";
    private const int MaxLength = 1 << 16;

    /// <summary>UID of the ServiceAccount; null if the text is not a token of a ServiceAccount.</summary>
    public static string? AccountUid(string token) =>
        Read(
            token,
            claims => Text(claims, Legacy + "service-account.uid") ?? Text(Member(Member(claims, "kubernetes.io"), "serviceaccount"), "uid")
        );

    /// <summary>Name of the Secret that contains the token; null if it is not the token of a Secret.</summary>
    public static string? SecretName(string token) => Read(token, claims => Text(claims, Legacy + "secret.name"));

    private static string? Read(string token, Func<JsonElement, string?> read)
    {
        ArgumentNullException.ThrowIfNull(token);
        var parts = token.Split('.', 4);
        if (token.Length > MaxLength || parts.Length != 3 || !Base64Url.IsValid(parts[1]))
        {
            return null;
        }

        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            return read(claims.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonElement Member(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement value, string name) =>
        Member(value, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}
