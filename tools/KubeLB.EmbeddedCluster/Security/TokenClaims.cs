namespace KubeLB.EmbeddedCluster.Security;

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
