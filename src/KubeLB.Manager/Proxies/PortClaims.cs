using System.Diagnostics.CodeAnalysis;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// The proxy ports that a tenant's Routes claim. While a Service moves from one Route to another, or two Services have the same port,
/// claims conflict. The result is independent of the order of claims, so that it is equal on every replica: of two names for one port the
/// first wins, of two ports for one name the lower. Not thread-safe.
/// </summary>
internal sealed class PortClaims
{
    // The arrays nearly always have one element.
    private readonly Dictionary<int, Claim[]> _byPort = [];
    private readonly Dictionary<string, Claim[]> _byName = new(StringComparer.Ordinal);

    /// <summary>All ports that are served.</summary>
    public IEnumerable<ProxyPort> Served => _byName.Keys.Select(Find).OfType<ProxyPort>();

    /// <summary>The port that is served under a name; null if no port is.</summary>
    public ProxyPort? Find(string name) =>
        _byName.TryGetValue(name, out var claims)
            ? claims.FirstOrDefault(c => _byPort[c.Port.ListenerPort][0].Port.Name == name)?.Port
            : null;

    /// <summary>Names whose served port may change when this claim is added or removed.</summary>
    public IEnumerable<string> NamesAffectedBy(ProxyPort port) =>
        _byPort.TryGetValue(port.ListenerPort, out var claims) ? claims.Select(c => c.Port.Name).Append(port.Name) : [port.Name];

    /// <summary>Adds a Route's claim.</summary>
    public void Add(ProxyPort port, string route)
    {
        var claim = new Claim(port, route);
        Add(_byPort, port.ListenerPort, claim);
        Add(_byName, port.Name, claim);
    }

    /// <summary>Removes a Route's claim.</summary>
    public void Remove(ProxyPort port, string route)
    {
        var claim = new Claim(port, route);
        Remove(_byPort, port.ListenerPort, claim);
        Remove(_byName, port.Name, claim);
    }

    private static void Add<TKey>(Dictionary<TKey, Claim[]> claims, TKey key, Claim claim)
        where TKey : notnull => claims[key] = claims.TryGetValue(key, out var others) ? [.. others.Append(claim).Order()] : [claim];

    private static void Remove<TKey>(Dictionary<TKey, Claim[]> claims, TKey key, Claim claim)
        where TKey : notnull
    {
        var others = claims.GetValueOrDefault(key)?.Where(c => c != claim).ToArray() ?? [];
        if (others.Length == 0)
        {
            claims.Remove(key);
        }
        else
        {
            claims[key] = others;
        }
    }

    [SuppressMessage("Design", "CA1036:Override methods on comparable types", Justification = "Sorted here only.")]
    private sealed record Claim(ProxyPort Port, string Route) : IComparable<Claim>
    {
        public int CompareTo(Claim? other)
        {
            var byName = string.CompareOrdinal(Port.Name, other?.Port.Name);
            var byPort = byName != 0 ? byName : Port.ListenerPort.CompareTo(other?.Port.ListenerPort);
            return byPort != 0 ? byPort : string.CompareOrdinal(Route, other?.Route);
        }
    }
}
