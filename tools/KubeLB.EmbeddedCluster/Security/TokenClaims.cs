namespace KubeLB.EmbeddedCluster.Security;

/// <summary>What a ServiceAccount token says.</summary>
/// <param name="Namespace">The account's namespace.</param>
/// <param name="Account">The account's name.</param>
/// <param name="Uid">The account's uid.</param>
/// <param name="Secret">The Secret the token lives in, for tokens that do not expire.</param>
/// <param name="Expires">When it ends.</param>
/// <param name="Audiences">Whom it is for; empty means the API server.</param>
internal sealed record TokenClaims(
    string Namespace,
    string Account,
    string Uid,
    string? Secret,
    DateTimeOffset? Expires,
    IReadOnlyList<string> Audiences
);
