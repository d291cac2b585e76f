using System.Diagnostics.CodeAnalysis;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// Which Routes of a tenant have which ports. A Service may pass from one Route to another, and two Services may name one port: for a
/// moment both are claimed twice. Who has it then does not depend on who came first, so that every replica says the same: of two names on
/// one port the first has it, of two ports of one name the lower. Not thread-safe.
/// </summary>
internal sealed class PortClaims
{
    // Nearly always of one.
    private readonly Dictionary<int, Claim[]> _byPort = [];
    private readonly Dictionary<string, Claim[]> _byName = new(StringComparer.Ordinal);

    /// <summary>The ports that are served.</summary>
    public IEnumerable<ProxyPort> Holders => _byName.Keys.Select(HolderOf).OfType<ProxyPort>();

    /// <summary>The port that is served by a name; null if none is.</summary>
    public ProxyPort? HolderOf(string name) =>
        _byName.TryGetValue(name, out var claims)
            ? claims.FirstOrDefault(c => _byPort[c.Port.ListenerPort][0].Port.Name == name)?.Port
            : null;

    /// <summary>Names whose holder may be another one when this claim comes or goes.</summary>
    public IEnumerable<string> Concerned(ProxyPort port) =>
        _byPort.TryGetValue(port.ListenerPort, out var claims) ? claims.Select(c => c.Port.Name).Append(port.Name) : [port.Name];

    /// <summary>A Route has a port.</summary>
    public void Add(ProxyPort port, string route)
    {
        var claim = new Claim(port, route);
        Add(_byPort, port.ListenerPort, claim);
        Add(_byName, port.Name, claim);
    }

    /// <summary>A Route no longer has a port.</summary>
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
