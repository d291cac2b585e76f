using System.Security.Cryptography;
using System.Text;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>Authenticates requests by bearer token.</summary>
internal sealed class Authenticator(ClusterStore store, TokenIssuer issuer, string adminToken)
{
    private readonly byte[] _adminToken = Encoding.UTF8.GetBytes(adminToken);
    private readonly ResourceTable _accounts = store.Table("", "serviceaccounts");
    private readonly ResourceTable _secrets = store.Table("", "secrets");

    /// <summary>The user of a request; anonymous without credentials.</summary>
    /// <exception cref="ApiException">401 for invalid or expired credentials.</exception>
    public UserInfo Authenticate(string? authorization)
    {
        if (string.IsNullOrEmpty(authorization))
        {
            return UserInfo.Anonymous;
        }
        const string Scheme = "Bearer ";
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return UserInfo.Anonymous;
        }
        return FromToken(authorization[Scheme.Length..].Trim(), ApiAudiences)?.User ?? throw ApiErrors.Unauthorized();
    }

    /// <summary>The audiences of the API server, for which tokens without audiences are valid.</summary>
    public static IReadOnlyList<string> ApiAudiences { get; } = [TokenIssuer.Issuer];

    /// <summary>The user of a token, and those of the requested audiences that it is valid for; null if it is invalid.</summary>
    public (UserInfo User, IReadOnlyList<string> Audiences)? FromToken(string token, IReadOnlyList<string> requested)
    {
        var isAdmin = CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), _adminToken);
        var claims = isAdmin ? null : issuer.Read(token);
        IReadOnlyList<string> audiences =
        [
            .. requested.Intersect(claims is { Secret: null } ? claims.Audiences : ApiAudiences, StringComparer.Ordinal),
        ];
        if (audiences.Count == 0 || (claims is null && !isAdmin))
        {
            return null;
        }
        return claims is null ? (UserInfo.Admin, audiences)
            : UserOf(claims) is { } user ? (user, audiences)
            : null;
    }

    private UserInfo? UserOf(TokenClaims claims)
    {
        var account = _accounts.Find(claims.Namespace, claims.Account);
        if (
            account is null
            || account.Uid != claims.Uid
            || (claims.Secret is { } secret && _secrets.Find(claims.Namespace, secret) is null)
        )
        {
            return null;
        }
        return new UserInfo(
            $"system:serviceaccount:{claims.Namespace}:{claims.Account}",
            ["system:serviceaccounts", $"system:serviceaccounts:{claims.Namespace}", UserInfo.AllAuthenticated],
            claims.Uid
        );
    }
}

/// <summary>An authenticated user.</summary>
/// <param name="Name">User name, e.g. <c>system:serviceaccount:ns:name</c>.</param>
/// <param name="Groups">Groups of the user.</param>
/// <param name="Uid">Uid of the user, if any.</param>
internal sealed record UserInfo(string Name, IReadOnlyList<string> Groups, string Uid = "")
{
    public const string MastersGroup = "system:masters";
    public const string AllAuthenticated = "system:authenticated";
    public const string AllUnauthenticated = "system:unauthenticated";

    public static UserInfo Anonymous { get; } = new("system:anonymous", [AllUnauthenticated]);

    public static UserInfo Admin { get; } = new("kubernetes-admin", [MastersGroup, AllAuthenticated]);

    public bool IsInMasters => Groups.Contains(MastersGroup);
}
