using System.Text.RegularExpressions;

namespace KubeLB.Translation.Matching;

/// <summary>Hostnames of listeners and routes, and hostnames of nodes that proxies resolve. Comparisons ignore case.</summary>
internal static partial class Hostnames
{
    private const string WildcardPrefix = "*.";

    /// <summary>
    /// Names that are not used for a tenant's nodes unless the settings allow them: those of the proxy itself, of the container's host, of
    /// the management cluster's Services and pods, and of the metadata services of clouds.
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
        "*.docker.internal",
        "*.containers.internal",
        "host.minikube.internal",
        "host.k3d.internal",
        "host.lima.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.internal",
        "metadata.azure.internal",
        "metadata.azure.com",
        "metadata.tencentyun.com",
        "*.metadata.cloud.ibm.com",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "*.cloudinit.sdns.ksyun.com",
        "instance-data.*",
    ];

    /// <summary>
    /// Whether the hostnames of a route intersect that of a listener; both may have Gateway API's wildcard <c>*.</c> as the first label.
    /// </summary>
    /// <param name="listener">Null or empty matches all.</param>
    /// <param name="route">Empty means the listener's.</param>
    /// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#hostname</remarks>
    public static bool Intersect(string? listener, IReadOnlyList<string> route) =>
        string.IsNullOrEmpty(listener) || route.Count == 0 || route.Any(hostname => Intersect(listener, hostname));

    private static bool Intersect(string left, string right)
    {
        if (string.Equals(left, right, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var leftIsWildcard = left.StartsWith(WildcardPrefix, StringComparison.Ordinal);
        var rightIsWildcard = right.StartsWith(WildcardPrefix, StringComparison.Ordinal);

        // Two wildcards overlap if one covers the other's suffix; `*.example.com` covers `*.a.example.com`.
        return (leftIsWildcard && Covers(left, right)) || (rightIsWildcard && Covers(right, left));
    }

    /// <summary>The hostnames that a listener and a hostname of a route have in common; null if there are none.</summary>
    /// <param name="listener">Null or empty matches all.</param>
    /// <param name="route">A hostname of the route.</param>
    public static string? Intersection(string? listener, string route) =>
        string.IsNullOrEmpty(listener) || IsWithin(route, listener) ? route
        : Intersect(listener, route) ? listener
        : null;

    /// <summary>Whether a hostname matches another one, each of its names if it is a wildcard itself.</summary>
    public static bool IsWithin(string hostname, string other) =>
        string.Equals(hostname, other, StringComparison.OrdinalIgnoreCase)
        || (other.StartsWith(WildcardPrefix, StringComparison.Ordinal) && Covers(other, hostname));

    private static bool Covers(string wildcard, string hostname)
    {
        var suffix = wildcard.AsSpan(1);
        var bare = hostname.StartsWith(WildcardPrefix, StringComparison.Ordinal) ? hostname.AsSpan(1) : hostname.AsSpan();
        return bare.Length > suffix.Length && bare.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The name in lower case and without a trailing dot; null if it is not a DNS name.</summary>
    public static string? Canonical(string? text)
    {
        var name = text?.ToLowerInvariant();
        name = name?.EndsWith('.') == true ? name[..^1] : name;
        return name is { Length: > 0 and <= 253 } && Dns().IsMatch(name) ? name : null;
    }

    /// <summary>
    /// Whether resolvers would read the name as an IP address: its last label is a number, decimal or hexadecimal
    /// (<c>127.1</c>, <c>0x7f000001</c>, <c>2130706433</c>).
    /// </summary>
    /// <remarks>https://url.spec.whatwg.org/#ends-in-a-number-checker</remarks>
    public static bool IsNumeric(string name) => Number().IsMatch(name[(name.LastIndexOf('.') + 1)..]);

    /// <summary>Whether a name matches a pattern, in which <c>*</c> stands for any characters, dots included.</summary>
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
