using System.Security.Cryptography;
using System.Text;

namespace KubeLB.Api.Naming;

/// <summary>
/// Names of the objects generated in the management cluster. They are part of the wire contract: scripts and dashboards
/// depend on them, and a migrated installation must find its existing objects.
/// </summary>
public static class GeneratedNames
{
    /// <summary>A name of this length or more is truncated to at most this length (55 characters, a dash, 4 hex digits).</summary>
    public const int MaxLength = 60;

    private const int HashLength = 4;

    /// <summary>Name of a generated Gateway, HTTPRoute or GRPCRoute: <c>namespace-name</c>, truncated if too long.</summary>
    public static string ForRoute(string @namespace, string name) => Shorten($"{@namespace}-{name}");

    /// <summary>
    /// Name of a further generated route, for a Route with more parentRefs than one can have: <c>name-2</c>, truncated if too long.
    /// </summary>
    /// <param name="name">Name of the first generated route.</param>
    /// <param name="number">Number of this one, from 2.</param>
    public static string ForPart(string name, int number) => Shorten($"{name}-{number}");

    /// <summary>
    /// Name of a generated Service: <c>namespace-route-service</c> as a DNS-1035 label, truncated if too long.
    /// </summary>
    /// <param name="namespace">Namespace of the tenant's Service.</param>
    /// <param name="route">Name of the tenant's route.</param>
    /// <param name="service">Name of the tenant's Service, not of its node-port Service.</param>
    public static string ForService(string @namespace, string route, string service) =>
        Shorten(Dns1035Label($"{@namespace}-{route}-{service}"));

    /// <summary>
    /// The name to use if another Route already owns the contract name: the name, a dash and 4 hex digits of the SHA-256 of the source
    /// object's UID, truncated to less than <see cref="MaxLength"/>.
    /// </summary>
    public static string WithSuffix(string name, string sourceUid)
    {
        var room = MaxLength - 1 - (HashLength + 1);
        var prefix = name.Length > room ? name[..room].TrimEnd('-', '.') : name;
        return $"{prefix}-{Hash(sourceUid)}";
    }

    /// <summary>First 4 hex digits of the SHA-256 of <paramref name="text"/> in UTF-8.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLength];

    // The contract trims dashes only. Dots are trimmed too, because a dash after a dot would be invalid.
    private static string Shorten(string name) =>
        name.Length < MaxLength ? name : $"{name[..(MaxLength - (HashLength + 1))].TrimEnd('-', '.')}-{Hash(name)}";

    private static string Dns1035Label(string text)
    {
        var label = new StringBuilder(text.Length);

        // By code points, as in the Go project: a character outside the basic plane is replaced by one dash, not two.
        foreach (var rune in text.EnumerateRunes())
        {
            var lower = Rune.ToLowerInvariant(rune);
            label.Append(
                lower.IsAscii && (char.IsAsciiLetterLower((char)lower.Value) || char.IsAsciiDigit((char)lower.Value))
                    ? (char)lower.Value
                    : '-'
            );
        }

        var trimmed = label.ToString().Trim('-');
        return trimmed switch
        {
            "" => "k",
            _ when char.IsAsciiLetterLower(trimmed[0]) => trimmed,
            _ => $"k-{trimmed}",
        };
    }
}

/// <summary>Names of node-port Services: the NodePort Services that the CCM creates for a tenant's ClusterIP Services.</summary>
public static class NodePortServiceNames
{
    private const string Suffix = "-nodeport";
    private const int MaxServiceNameLength = 63;

    /// <summary>
    /// The names of a node-port Service, the preferred first: <c>service-nodeport</c>, or, if that is in use or exceeds the length of a
    /// Service's name (63), the truncated name with 4 hex digits of its SHA-256.
    /// </summary>
    public static IReadOnlyList<string> Candidates(string service)
    {
        var hash = GeneratedNames.Hash(service);
        var room = MaxServiceNameLength - Suffix.Length - 1 - hash.Length;
        var hashed = $"{(service.Length > room ? service[..room].TrimEnd('-') : service)}-{hash}{Suffix}";
        return service.Length + Suffix.Length <= MaxServiceNameLength ? [service + Suffix, hashed] : [hashed];
    }
}

/// <summary>Names of a tenant's objects in the management cluster.</summary>
public static class TenantNames
{
    /// <summary>Prefix of a tenant's namespace.</summary>
    public const string Prefix = "tenant-";

    /// <summary>ServiceAccount, Role, RoleBinding and first token Secret of the tenant's CCM.</summary>
    public const string Ccm = "kubelb-ccm";

    private const int TokenHashLength = 10;

    /// <summary>
    /// Name of the Secret with the token that replaces the token of another Secret. The name of the replaced Secret is part of the hash, so
    /// that no name is used twice: tokens of Secrets with the same name can be equal. Its UID is, so that a tenant, which cannot read it,
    /// does not know the name before the kubeconfig contains it.
    /// </summary>
    /// <param name="replaced">Name of the Secret with the replaced token.</param>
    /// <param name="uid">UID of that Secret; empty if it does not exist.</param>
    /// <param name="rotation">Value of <see cref="Annotations.RotateToken"/>.</param>
    public static string RotatedToken(string replaced, string uid, string rotation) =>
        $"{Ccm}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{replaced}\n{uid}\n{rotation}")))[..TokenHashLength]}";

    /// <summary>Secret with the CCM's kubeconfig.</summary>
    public const string KubeconfigSecret = "kubelb-ccm-kubeconfig";

    /// <summary>Key of the kubeconfig in <see cref="KubeconfigSecret"/>.</summary>
    public const string KubeconfigKey = "kubelb";

    /// <summary>The tenant's namespace. A name that already has the prefix is not changed.</summary>
    public static string Namespace(string tenant) => tenant.StartsWith(Prefix, StringComparison.Ordinal) ? tenant : Prefix + tenant;

    /// <summary>The tenant that owns <paramref name="namespace"/>, or null if it is not a tenant's namespace.</summary>
    public static string? TenantOf(string @namespace) =>
        @namespace.StartsWith(Prefix, StringComparison.Ordinal) && @namespace.Length > Prefix.Length ? @namespace[Prefix.Length..] : null;

    /// <summary>Name of the tenant's Envoy workload.</summary>
    public static string Proxy(string tenant) => "envoy-" + Namespace(tenant);
}
