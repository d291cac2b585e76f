namespace KubeLB.Translation.Secrets;

/// <summary>Types of Secrets, and which of their keys are carried.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/configuration/secret/#secret-types</remarks>
public static class SecretTypes
{
    /// <summary>A certificate with its private key.</summary>
    public const string Tls = "kubernetes.io/tls";

    /// <summary>Anything; also the type of a Secret that names none.</summary>
    public const string Opaque = "Opaque";

    /// <summary>Key of the certificate, PEM.</summary>
    public const string TlsCertificateKey = "tls.crt";

    /// <summary>Key of the private key, PEM.</summary>
    public const string TlsPrivateKeyKey = "tls.key";

    // Types that Kubernetes itself gives a meaning to (tokens of service accounts, of joining nodes) open the tenant's cluster and are
    // not here, and neither are types that nobody declared the keys of.
    private static readonly Dictionary<string, string[]?> Keys = new(StringComparer.Ordinal)
    {
        [Tls] = [TlsCertificateKey, TlsPrivateKeyKey],
        [Opaque] = null,
        ["kubernetes.io/basic-auth"] = ["username", "password"],
        ["kubernetes.io/ssh-auth"] = ["ssh-privatekey"],
        ["kubernetes.io/dockercfg"] = [".dockercfg"],
        ["kubernetes.io/dockerconfigjson"] = [".dockerconfigjson"],
    };

    /// <summary>Whether Secrets of the type are carried at all.</summary>
    public static bool IsCarried(string? type) => Keys.ContainsKey(OrOpaque(type));

    /// <summary>Whether the key of a Secret of the type is carried.</summary>
    public static bool IsCarried(string? type, string key) =>
        Keys.TryGetValue(OrOpaque(type), out var keys) && (keys is null || keys.Contains(key, StringComparer.Ordinal));

    /// <summary>The type that is meant.</summary>
    public static string OrOpaque(string? type) => string.IsNullOrEmpty(type) ? Opaque : type;

    /// <summary>The types that are carried, for messages.</summary>
    public static string Carried => string.Join(", ", Keys.Keys);
}
