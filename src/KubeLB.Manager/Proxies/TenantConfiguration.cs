using KubeLB.Translation.Proxies;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// What one tenant's proxies have, kept up to date at the cost of what changes: a Route's own listeners and clusters, and the endpoints of a
/// node port once for all who share it. Equal inputs come to equal resources in whatever order they came, so that every replica serves the
/// same. Not thread-safe.
/// </summary>
/// <param name="withoutAggregation">Whether there may be proxies that have no aggregated stream, as those of the Go manager.</param>
internal sealed class TenantConfiguration(bool withoutAggregation = false)
{
    private readonly Dictionary<string, IReadOnlyList<ProxyPort>> _routes = new(StringComparer.Ordinal);

    // Of two Services on one port the first by name has it. One of them is going to be put right; until then nothing flaps.
    private readonly Dictionary<int, SortedDictionary<string, ProxyPort>> _claims = [];
    private readonly Dictionary<int, int> _usersOfNodePort = [];
    private readonly Dictionary<string, string> _routeOfPort = new(StringComparer.Ordinal);
    private IReadOnlyList<string> _nodes = [];
    private ProxyHeaderLimits _limits = ProxyHeaderLimits.Most;

    /// <summary>Names of the Routes that have ports.</summary>
    public IReadOnlyCollection<string> Routes => _routes.Keys;

    /// <summary>The Routes that a resource is of. Those of endpoints, which Routes share, are looked for among all.</summary>
    public IReadOnlyList<string> RoutesOf(string typeUrl, string name) => typeUrl switch
    {
        ResourceTypes.Cluster or ResourceTypes.Listener => _routeOfPort.TryGetValue(name, out var route) ? [route] : [],
        ResourceTypes.ClusterLoadAssignment => [.. _routes.Where(r => r.Value.Any(p => EndpointsResource.NameFor(p.NodePort) == name)).Select(r => r.Key)],
        _ => [],
    };

    private IEnumerable<ProxyPort> Holders => _claims.Values.Where(c => c.Count > 0).Select(c => c.First().Value);

    private EndpointDiscovery Discovery => _nodes.Any(EndpointsResource.IsHostname) ? EndpointDiscovery.Dns
        : withoutAggregation ? EndpointDiscovery.Static
        : EndpointDiscovery.Eds;

    /// <summary>The nodes as they are now; resources of ports follow only if it changes how endpoints are found.</summary>
    public void SetNodes(IReadOnlyList<string> nodes, ResourceTransaction change)
    {
        if (_nodes.SequenceEqual(nodes))
        {
            return;
        }

        var before = Discovery;
        _nodes = nodes;
        if (before != EndpointDiscovery.Eds || Discovery != EndpointDiscovery.Eds)
        {
            foreach (var port in Holders)
            {
                change.Set(port.Name, ClusterResource.Build(port, _nodes, Discovery));
            }
        }

        foreach (var nodePort in _usersOfNodePort.Keys)
        {
            SetEndpoints(nodePort, change);
        }
    }

    /// <summary>The limits on headers as they are now, which are those of every listener.</summary>
    public void SetLimits(ProxyHeaderLimits limits, ResourceTransaction change)
    {
        if (_limits == limits)
        {
            return;
        }

        _limits = limits;
        foreach (var port in Holders)
        {
            change.Set(port.Name, ListenerResource.Build(port, _limits));
        }
    }

    /// <summary>The ports of a Route as they are now; none for a Route that is gone.</summary>
    public void SetRoute(string route, IReadOnlyList<ProxyPort> ports, ResourceTransaction change)
    {
        var before = _routes.GetValueOrDefault(route) ?? [];
        if (before.SequenceEqual(ports))
        {
            return;
        }

        var gone = before.Except(ports).ToList();
        var come = ports.Except(before).ToList();
        var touched = gone.Concat(come).Select(p => p.ListenerPort).Distinct().ToDictionary(p => p, HolderOf);
        foreach (var port in gone)
        {
            _claims[port.ListenerPort].Remove(port.Name);

            // Another Route may have taken it over before.
            if (_routeOfPort.GetValueOrDefault(port.Name) == route)
            {
                _routeOfPort.Remove(port.Name);
            }
        }

        foreach (var port in come)
        {
            Claims(port.ListenerPort)[port.Name] = port;
            _routeOfPort[port.Name] = route;
        }

        if (ports.Count == 0)
        {
            _routes.Remove(route);
        }
        else
        {
            _routes[route] = ports;
        }

        Exchange(touched, change);
    }

    // Removals first: a name that moves to another port is a change, and the last word counts.
    private void Exchange(Dictionary<int, ProxyPort?> before, ResourceTransaction change)
    {
        var changed = before.Select(b => (Old: b.Value, New: HolderOf(b.Key))).Where(c => c.Old != c.New).ToList();
        foreach (var old in changed.Select(c => c.Old).OfType<ProxyPort>())
        {
            change.Remove(ResourceTypes.Listener, old.Name).Remove(ResourceTypes.Cluster, old.Name);
            Count(old.NodePort, -1);
        }

        foreach (var port in changed.Select(c => c.New).OfType<ProxyPort>())
        {
            change.Set(port.Name, ClusterResource.Build(port, _nodes, Discovery)).Set(port.Name, ListenerResource.Build(port, _limits));
            Count(port.NodePort, +1);
        }

        foreach (var nodePort in changed.SelectMany(c => new[] { c.Old, c.New }).OfType<ProxyPort>().Select(p => p.NodePort).Distinct())
        {
            SetEndpoints(nodePort, change);
        }

        foreach (var port in before.Keys.Where(p => _claims.TryGetValue(p, out var claims) && claims.Count == 0))
        {
            _claims.Remove(port);
        }
    }

    private ProxyPort? HolderOf(int listenerPort) => _claims.TryGetValue(listenerPort, out var claims) && claims.Count > 0 ? claims.First().Value : null;

    private SortedDictionary<string, ProxyPort> Claims(int listenerPort)
    {
        if (!_claims.TryGetValue(listenerPort, out var claims))
        {
            _claims[listenerPort] = claims = new SortedDictionary<string, ProxyPort>(StringComparer.Ordinal);
        }

        return claims;
    }

    private void Count(int nodePort, int by)
    {
        var users = _usersOfNodePort.GetValueOrDefault(nodePort) + by;
        if (users == 0)
        {
            _usersOfNodePort.Remove(nodePort);
        }
        else
        {
            _usersOfNodePort[nodePort] = users;
        }
    }

    private void SetEndpoints(int nodePort, ResourceTransaction change)
    {
        var name = EndpointsResource.NameFor(nodePort);
        if (_usersOfNodePort.ContainsKey(nodePort) && Discovery == EndpointDiscovery.Eds)
        {
            change.Set(name, EndpointsResource.Build(name, _nodes, nodePort));
        }
        else
        {
            change.Remove(ResourceTypes.ClusterLoadAssignment, name);
        }
    }
}
