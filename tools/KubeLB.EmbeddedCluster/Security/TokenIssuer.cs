using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>Signs and validates ServiceAccount tokens (JWT, ES256).</summary>
internal sealed class TokenIssuer(TimeProvider time) : IDisposable
{
    public const string Issuer = "https://kubernetes.default.svc.cluster.local";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string _keyId = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    public string Issue(TokenClaims claims)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var account = new JsonObject { ["name"] = claims.Account, ["uid"] = claims.Uid };
        JsonObject body;
        if (claims.Secret is { } secret)
        {
            body = new JsonObject
            {
                ["iss"] = "kubernetes/serviceaccount",
                ["kubernetes.io/serviceaccount/namespace"] = claims.Namespace,
                ["kubernetes.io/serviceaccount/secret.name"] = secret,
                ["kubernetes.io/serviceaccount/service-account.name"] = claims.Account,
                ["kubernetes.io/serviceaccount/service-account.uid"] = claims.Uid,
            };
        }
        else
        {
            body = new JsonObject
            {
                ["aud"] = new JsonArray([.. claims.Audiences.Select(audience => JsonValue.Create(audience))]),
                ["exp"] = claims.Expires?.ToUnixTimeSeconds(),
                ["iat"] = now,
                ["iss"] = Issuer,
                ["jti"] = Guid.NewGuid().ToString(),
                ["kubernetes.io"] = new JsonObject { ["namespace"] = claims.Namespace, ["serviceaccount"] = account },
                ["nbf"] = now,
            };
        }
        body["sub"] = $"system:serviceaccount:{claims.Namespace}:{claims.Account}";
        var head = new JsonObject { ["alg"] = "ES256", ["kid"] = _keyId };
        var signed = $"{Encode(JsonText.Bytes(head))}.{Encode(JsonText.Bytes(body))}";
        lock (_key)
        {
            return $"{signed}.{Encode(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
        }
    }

    /// <summary>The claims of a token; null if it is expired or not signed by this cluster.</summary>
    public TokenClaims? Read(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
        {
            return null;
        }
        try
        {
            var signature = Base64Url.DecodeFromChars(parts[2]);
            lock (_key)
            {
                if (!_key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), signature, HashAlgorithmName.SHA256))
                {
                    return null;
                }
            }
            return Claims(JsonReading.ParseObject(Base64Url.DecodeFromChars(parts[1])));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public void Dispose() => _key.Dispose();

    private TokenClaims? Claims(JsonObject body)
    {
        const string Legacy = "kubernetes.io/serviceaccount/";
        if (body.Text(Legacy + "namespace") is { } @namespace)
        {
            return new TokenClaims(
                @namespace,
                body.Text(Legacy + "service-account.name") ?? "",
                body.Text(Legacy + "service-account.uid") ?? "",
                body.Text(Legacy + "secret.name"),
                null,
                []
            );
        }
        var expires = DateTimeOffset.FromUnixTimeSeconds(body.Integer("exp") ?? 0);
        var bound = body.Object("kubernetes.io");
        return expires <= time.GetUtcNow()
            ? null
            : new TokenClaims(
                bound.Text("namespace") ?? "",
                bound.Object("serviceaccount").Text("name") ?? "",
                bound.Object("serviceaccount").Text("uid") ?? "",
                null,
                expires,
                [.. body.Array("aud").Strings()]
            );
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}

/// <summary>The claims of a ServiceAccount token.</summary>
/// <param name="Namespace">The account's namespace.</param>
/// <param name="Account">The account's name.</param>
/// <param name="Uid">The account's uid.</param>
/// <param name="Secret">The Secret of a token that does not expire.</param>
/// <param name="Expires">Expiration time.</param>
/// <param name="Audiences">Audiences; empty for the API server.</param>
internal sealed record TokenClaims(
    string Namespace,
    string Account,
    string Uid,
    string? Secret,
    DateTimeOffset? Expires,
    IReadOnlyList<string> Audiences
);
