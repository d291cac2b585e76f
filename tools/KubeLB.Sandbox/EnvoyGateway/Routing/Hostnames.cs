namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>Host names with an optional <c>*.</c> prefix, as Gateway API compares them. An empty name stands for every host.</summary>
internal static class Hostnames
{
    /// <summary>Whether a name covers a host.</summary>
    public static bool Matches(string name, string host) =>
        name.Length == 0
        || string.Equals(name, host, StringComparison.OrdinalIgnoreCase)
        || (IsWildcard(name) && host.Length > name.Length - 1 && host.EndsWith(name[1..], StringComparison.OrdinalIgnoreCase));

    /// <summary>The more specific of a listener's and a route's name if they have hosts in common; null otherwise.</summary>
    public static string? Intersect(string listener, string route)
    {
        if (listener.Length == 0 || route.Length == 0)
        {
            return listener + route;
        }

        if (
            Matches(listener, route)
            || (IsWildcard(listener) && IsWildcard(route) && route.EndsWith(listener[1..], StringComparison.OrdinalIgnoreCase))
        )
        {
            return route;
        }

        return
            Matches(route, listener)
            || (IsWildcard(listener) && IsWildcard(route) && listener.EndsWith(route[1..], StringComparison.OrdinalIgnoreCase))
            ? listener
            : null;
    }

    /// <summary>Orders names: exact ones first, then wildcards, longer before shorter, the empty name last.</summary>
    public static int CompareSpecificity(string x, string y)
    {
        var exact = (!IsWildcard(y) && y.Length > 0).CompareTo(!IsWildcard(x) && x.Length > 0);
        return exact != 0 ? exact : y.Length.CompareTo(x.Length);
    }

    /// <summary>The host of a Host header: lower case, without port.</summary>
    public static string FromHeader(string header)
    {
        var end = header.StartsWith('[')
            ? header.IndexOf(']', StringComparison.Ordinal) + 1
            : header.IndexOf(':', StringComparison.Ordinal);
        return (end > 0 ? header[..end] : header).ToLowerInvariant();
    }

    private static bool IsWildcard(string name) => name.StartsWith("*.", StringComparison.Ordinal);
}
