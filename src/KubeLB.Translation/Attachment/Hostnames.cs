namespace KubeLB.Translation.Attachment;

/// <summary>Host names of listeners and routes, with Gateway API's wildcard <c>*.</c> as the first label.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#hostname; compared without case.</remarks>
public static class Hostnames
{
    private const string WildcardPrefix = "*.";

    /// <summary>Whether a route with these host names serves anything on a listener with that one.</summary>
    /// <param name="listener">Null or empty matches all.</param>
    /// <param name="route">Empty takes the listener's.</param>
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

    private static bool Covers(string wildcard, string hostname)
    {
        var suffix = wildcard.AsSpan(1);
        var bare = hostname.StartsWith(WildcardPrefix, StringComparison.Ordinal) ? hostname.AsSpan(1) : hostname.AsSpan();
        return bare.Length > suffix.Length && bare.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
    }
}
