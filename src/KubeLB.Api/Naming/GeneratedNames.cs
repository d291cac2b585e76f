using System.Security.Cryptography;
using System.Text;

namespace KubeLB.Api.Naming;

/// <summary>
/// Names of the objects generated in the management cluster. They are part of the wire contract: scripts and dashboards
/// rely on them, and a migrated installation must find its objects again.
/// </summary>
public static class GeneratedNames
{
    /// <summary>A name of this many characters or more is cut, to exactly this many at most (55, a dash, 4 hex digits).</summary>
    public const int MaxLength = 60;

    private const int HashLength = 4;

    /// <summary>Name of a generated Gateway, HTTPRoute or GRPCRoute: <c>namespace-name</c>, shortened if need be.</summary>
    public static string ForRoute(string @namespace, string name) => Shorten($"{@namespace}-{name}");

    /// <summary>
    /// Name of a generated Service: <c>namespace-route-service</c> as a DNS-1035 label, shortened if need be.
    /// </summary>
    /// <param name="namespace">Namespace of the tenant's Service.</param>
    /// <param name="route">Name of the tenant's route.</param>
    /// <param name="service">Name of the tenant's Service, not of its node-port twin.</param>
    public static string ForService(string @namespace, string route, string service) =>
        Shorten(Dns1035Label($"{@namespace}-{route}-{service}"));

    /// <summary>
    /// The name for a newcomer whose contract name another Route already owns: the name plus <c>-</c> and 4 hex digits of
    /// the SHA-256 of the source's UID, kept under <see cref="MaxLength"/>.
    /// </summary>
    public static string WithSuffix(string name, string sourceUid)
    {
        var room = MaxLength - 1 - (HashLength + 1);
        var prefix = name.Length > room ? name[..room].TrimEnd('-', '.') : name;
        return $"{prefix}-{Hash(sourceUid)}";
    }

    /// <summary>First 4 hex digits of the SHA-256 of <paramref name="text"/> in UTF-8.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLength];

    // The contract trims dashes only; after a dot, which only routes' names have, a dash would make the name invalid.
    private static string Shorten(string name) =>
        name.Length < MaxLength ? name : $"{name[..(MaxLength - (HashLength + 1))].TrimEnd('-', '.')}-{Hash(name)}";

    private static string Dns1035Label(string text)
    {
        var label = new StringBuilder(text.Length);

        // By code points, as the contract's reference does: a character outside the basic plane is one dash, not two.
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
