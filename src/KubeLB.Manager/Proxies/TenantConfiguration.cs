using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Proxies;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// What one tenant's proxies have, kept up to date at the cost of what changes: a Route's own listeners and clusters, and the endpoints of
/// a node port once for all who share it. Equal inputs come to equal resources in whatever order they came, so that every replica serves
/// the same. Not thread-safe.
/// </summary>
/// <param name="withoutAggregation">Whether there may be proxies that have no aggregated stream, as those of the Go manager.</param>
/// <param name="endpointBytes">Limit of the endpoints of all ports: addresses times node ports, of which a tenant decides both.</param>
internal sealed class TenantConfiguration(bool withoutAggregation = false, long endpointBytes = TenantConfiguration.MostEndpointBytes)
{
    /// <summary>1,000 IPv4 addresses on each of 4,000 node ports; Kubernetes has 2,768 node ports by default.</summary>
    public const long MostEndpointBytes = 128_000_000;

    // Tags, lengths and port around the address.
    private const int EndpointFrame = 16;

    private readonly Dictionary<string, IReadOnlyList<ProxyPort>> _routes = new(StringComparer.Ordinal);
    private readonly PortClaims _claims = new();
    private readonly Dictionary<int, int> _usersOfNodePort = [];
    private int _served;
    private IReadOnlyList<string> _nodes = [];
    private long _listBytes;

    // Node ports from here up have no endpoints.
    private int _end = int.MaxValue;
    private EndpointDiscovery _discovery = DiscoveryOf([], withoutAggregation);
    private ProxyHeaderLimits _limits = ProxyHeaderLimits.Default;

    /// <summary>Names of the Routes that have ports.</summary>
    public IReadOnlyCollection<string> Routes => _routes.Keys;

    /// <summary>What exceeds the limit of endpoints; null if nothing does.</summary>
    public EndpointExcess? Excess =>
        _end == int.MaxValue
            ? null
            : new EndpointExcess(
                _nodes.Count,
                _usersOfNodePort.Count,
                _usersOfNodePort.Keys.Count(p => p >= _end),
                _end,
                (int)(endpointBytes / 1_000_000)
            );

    /// <summary>The ports that a Route has.</summary>
    public IReadOnlyList<ProxyPort> PortsOf(string route) => _routes.GetValueOrDefault(route) ?? [];

    /// <summary>The resources of some ports, by type and name; none of a port that is not served.</summary>
    public IReadOnlyList<(string TypeUrl, string Name)> ResourcesOf(IEnumerable<string> ports) =>
        [
            .. ports
                .Select(_claims.HolderOf)
                .OfType<ProxyPort>()
                .SelectMany<ProxyPort, (string, string)>(port =>
                    _discovery == EndpointDiscovery.Eds
                        ?
                        [
                            (ResourceTypes.Cluster, port.Name),
                            (ResourceTypes.ClusterLoadAssignment, EndpointsResource.NameFor(port.NodePort)),
                            (ResourceTypes.Listener, port.Name),
                        ]
                        : [(ResourceTypes.Cluster, port.Name), (ResourceTypes.Listener, port.Name)]
                ),
        ];

    /// <summary>The nodes as they are now; resources of ports follow only if it changes how endpoints are found.</summary>
    public void SetNodes(IReadOnlyList<string> nodes, ResourceTransaction change)
    {
        if (_nodes.SequenceEqual(nodes))
        {
            return;
        }

        var before = _discovery;
        _discovery = DiscoveryOf(nodes, withoutAggregation);
        _nodes = nodes;
        _listBytes = nodes.Sum(n => (long)n.Length + EndpointFrame);
        _end = EndOfServed();
        SetNodesOfAll(before, change);
    }

    /// <summary>The limits on headers as they are now, which are those of every listener.</summary>
    public void SetLimits(ProxyHeaderLimits limits, ResourceTransaction change)
    {
        if (_limits == limits)
        {
            return;
        }

        _limits = limits;
        foreach (var port in _claims.Holders)
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
        var touched = gone.Concat(come).SelectMany(_claims.Concerned).Distinct(StringComparer.Ordinal).ToList();
        var old = touched.ConvertAll(_claims.HolderOf);
        gone.ForEach(port => _claims.Remove(port, route));
        come.ForEach(port => _claims.Add(port, route));
        if (ports.Count == 0)
        {
            _routes.Remove(route);
        }
        else
        {
            _routes[route] = ports;
        }

        Exchange(touched.Zip(old, (name, was) => (name, was, _claims.HolderOf(name))).Where(c => c.was != c.Item3).ToList(), change);
    }

    private void Exchange(List<(string Name, ProxyPort? Old, ProxyPort? New)> changed, ResourceTransaction change)
    {
        foreach (var (_, old, now) in changed)
        {
            Count(now, +1);
            Count(old, -1);
        }

        // Before anything is built: what exceeds the limit would be there for a moment.
        MoveEnd(change);
        foreach (var (name, _, now) in changed)
        {
            if (now is not null)
            {
                change
                    .Set(name, ClusterResource.Build(now, NodesOf(now.NodePort), _discovery))
                    .Set(name, ListenerResource.Build(now, _limits));
            }
            else
            {
                change.Remove(ResourceTypes.Listener, name).Remove(ResourceTypes.Cluster, name);
            }
        }

        foreach (var nodePort in changed.SelectMany(c => new[] { c.Old, c.New }).OfType<ProxyPort>().Select(p => p.NodePort).Distinct())
        {
            SetEndpoints(nodePort, change);
        }
    }

    // How many lists of endpoints there are.
    private int Lists => _discovery == EndpointDiscovery.Eds ? _usersOfNodePort.Count : _served;

    private IReadOnlyList<string> NodesOf(int nodePort) => nodePort < _end ? _nodes : [];

    // Node ports in their order: the same for the same nodes and ports, however they came.
    private int EndOfServed()
    {
        var fitting = endpointBytes / Math.Max(1, _listBytes);
        if (Lists <= fitting)
        {
            return int.MaxValue;
        }

        long lists = 0;
        return _usersOfNodePort.OrderBy(u => u.Key).First(u => (lists += _discovery == EndpointDiscovery.Eds ? 1 : u.Value) > fitting).Key;
    }

    private void MoveEnd(ResourceTransaction change)
    {
        var before = _end;
        _end = EndOfServed();
        var (first, last) = before < _end ? (before, _end) : (_end, before);
        foreach (var nodePort in _usersOfNodePort.Keys.Where(p => p >= first && p < last))
        {
            SetEndpoints(nodePort, change);
        }

        if (first != last && _discovery != EndpointDiscovery.Eds)
        {
            foreach (var port in _claims.Holders.Where(p => p.NodePort >= first && p.NodePort < last))
            {
                change.Set(port.Name, ClusterResource.Build(port, NodesOf(port.NodePort), _discovery));
            }
        }
    }

    private static EndpointDiscovery DiscoveryOf(IReadOnlyList<string> nodes, bool withoutAggregation) =>
        nodes.Any(EndpointsResource.IsHostname) ? EndpointDiscovery.Dns
        : withoutAggregation ? EndpointDiscovery.Static
        : EndpointDiscovery.Eds;

    private void Count(ProxyPort? port, int by)
    {
        if (port is null)
        {
            return;
        }

        _served += by;
        var users = _usersOfNodePort.GetValueOrDefault(port.NodePort) + by;
        if (users == 0)
        {
            _usersOfNodePort.Remove(port.NodePort);
        }
        else
        {
            _usersOfNodePort[port.NodePort] = users;
        }
    }

    private void SetNodesOfAll(EndpointDiscovery before, ResourceTransaction change)
    {
        if (before != EndpointDiscovery.Eds || _discovery != EndpointDiscovery.Eds)
        {
            foreach (var port in _claims.Holders)
            {
                change.Set(port.Name, ClusterResource.Build(port, NodesOf(port.NodePort), _discovery));
            }
        }

        foreach (var nodePort in _usersOfNodePort.Keys)
        {
            SetEndpoints(nodePort, change);
        }
    }

    private void SetEndpoints(int nodePort, ResourceTransaction change)
    {
        var name = EndpointsResource.NameFor(nodePort);
        if (_usersOfNodePort.ContainsKey(nodePort) && _discovery == EndpointDiscovery.Eds)
        {
            change.Set(name, EndpointsResource.Build(name, NodesOf(nodePort), nodePort));
        }
        else
        {
            change.Remove(ResourceTypes.ClusterLoadAssignment, name);
        }
    }
}
