using System.Text.RegularExpressions;

namespace KubeLB.Translation.Endpoints;

/// <summary>Host names that proxies resolve, and patterns for them.</summary>
internal static partial class Hostnames
{
    /// <summary>
    /// Names that are never a tenant's node unless somebody allows them: of the proxy itself, of the management cluster's Services and
    /// pods, of clouds' metadata services, and names of one label, which the resolver completes with the management cluster's own domains.
    /// </summary>
    public static readonly IReadOnlyList<string> DeniedByDefault =
    [
        "localhost",
        "*.localhost",
        "*.localdomain",
        "*.local",
        "*.svc",
        "*.svc.*",
        "*.pod.*",
        "kubernetes.default",
        "metadata.google.internal",
        "metadata.internal",
        "metadata.azure.internal",
        "metadata.azure.com",
        "instance-data.*",
    ];

    /// <summary>The name in lower case and without a dot at its end; null if it is no DNS name.</summary>
    public static string? Canonical(string? text)
    {
        var name = text?.ToLowerInvariant();
        name = name?.EndsWith('.') == true ? name[..^1] : name;
        return name is { Length: > 0 and <= 253 } && Dns().IsMatch(name) ? name : null;
    }

    /// <summary>
    /// Whether resolvers would take the name for an IP address: its last label is a number, also a hexadecimal one
    /// (<c>127.1</c>, <c>0x7f000001</c>, <c>2130706433</c>).
    /// </summary>
    /// <remarks>https://url.spec.whatwg.org/#ends-in-a-number-checker</remarks>
    public static bool IsNumeric(string name) => Number().IsMatch(name[(name.LastIndexOf('.') + 1)..]);

    /// <summary>Whether a name fits a pattern, in which <c>*</c> stands for any characters, dots included.</summary>
    public static bool Matches(string? pattern, string name)
    {
        var parts = (pattern ?? "").Trim().ToLowerInvariant().TrimEnd('.').Split('*');
        if (parts.Length == 1)
        {
            return parts[0] == name;
        }

        if (!name.StartsWith(parts[0], StringComparison.Ordinal))
        {
            return false;
        }

        var at = parts[0].Length;
        foreach (var part in parts[1..^1])
        {
            var found = name.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }

            at = found + part.Length;
        }

        return name.Length - at >= parts[^1].Length && name.EndsWith(parts[^1], StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Dns();

    [GeneratedRegex(@"^([0-9]+|0x[0-9a-f]*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
