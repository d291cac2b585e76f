using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Proxies;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// The xDS resources of one tenant's proxies, updated incrementally: the listeners and clusters of a changed Route, and the endpoints of a
/// node port, which its clusters share. The result does not depend on the order of changes, so that every replica serves the same. Not
/// thread-safe.
/// </summary>
/// <param name="withoutAggregation">Whether there may be proxies without an aggregated stream, such as those of the Go manager.</param>
/// <param name="endpointBytes">Limit of all endpoints in bytes: the tenant controls both the addresses and the node ports.</param>
internal sealed class TenantConfiguration(bool withoutAggregation = false, long endpointBytes = TenantConfiguration.MaxEndpointBytes)
{
    /// <summary>1,000 IPv4 addresses on each of 4,000 node ports; Kubernetes has 2,768 node ports by default.</summary>
    public const long MaxEndpointBytes = 128_000_000;

    // Bytes of tags, lengths and port in addition to the address.
    private const int EndpointOverhead = 16;

    private readonly Dictionary<string, IReadOnlyList<ProxyPort>> _routes = new(StringComparer.Ordinal);
    private readonly PortClaims _claims = new();
    private readonly Dictionary<int, int> _usersOfNodePort = [];
    private int _portCount;
    private IReadOnlyList<string> _nodes = [];
    private long _bytesPerNodePort;

    // Node ports from this one up exceed the limit and have no endpoints.
    private int _firstExcessNodePort = int.MaxValue;
    private EndpointDiscovery _discovery = DiscoveryOf([], withoutAggregation);
    private ProxyHeaderLimits _limits = ProxyHeaderLimits.Default;

    /// <summary>Names of the Routes with ports.</summary>
    public IReadOnlyCollection<string> Routes => _routes.Keys;

    /// <summary>How the limit of endpoints is exceeded; null if it is not.</summary>
    public EndpointExcess? Excess =>
        _firstExcessNodePort == int.MaxValue
            ? null
            : new EndpointExcess(
                _nodes.Count,
                _usersOfNodePort.Count,
                _usersOfNodePort.Keys.Count(p => p >= _firstExcessNodePort),
                _firstExcessNodePort,
                (int)(endpointBytes / 1_000_000)
            );

    /// <summary>The ports of a Route.</summary>
    public IReadOnlyList<ProxyPort> PortsOf(string route) => _routes.GetValueOrDefault(route) ?? [];

    /// <summary>The resources of ports, by type and name; ports that are not served are skipped.</summary>
    public IReadOnlyList<(string TypeUrl, string Name)> ResourcesOf(IEnumerable<string> ports) =>
        [
            .. ports
                .Select(_claims.Find)
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

    /// <summary>
    /// Sets the nodes. With EDS before and after, only endpoints are updated; else all clusters are rebuilt, which contain the endpoints.
    /// </summary>
    public void SetNodes(IReadOnlyList<string> nodes, ResourceTransaction change)
    {
        if (_nodes.SequenceEqual(nodes))
        {
            return;
        }

        var before = _discovery;
        _discovery = DiscoveryOf(nodes, withoutAggregation);
        _nodes = nodes;
        _bytesPerNodePort = nodes.Sum(n => (long)n.Length + EndpointOverhead);
        _firstExcessNodePort = FirstExcessNodePort();
        UpdateEndpoints(before, change);
    }

    /// <summary>Sets the header limits of all listeners.</summary>
    public void SetLimits(ProxyHeaderLimits limits, ResourceTransaction change)
    {
        if (_limits == limits)
        {
            return;
        }

        _limits = limits;
        foreach (var port in _claims.Served)
        {
            change.Set(port.Name, ListenerResource.Build(port, _limits));
        }
    }

    /// <summary>Sets the ports of a Route; empty for a deleted Route.</summary>
    public void SetRoute(string route, IReadOnlyList<ProxyPort> ports, ResourceTransaction change)
    {
        var before = _routes.GetValueOrDefault(route) ?? [];
        if (before.SequenceEqual(ports))
        {
            return;
        }

        var removed = before.Except(ports).ToList();
        var added = ports.Except(before).ToList();
        var affected = removed.Concat(added).SelectMany(_claims.NamesAffectedBy).Distinct(StringComparer.Ordinal).ToList();
        var old = affected.ConvertAll(_claims.Find);
        removed.ForEach(port => _claims.Remove(port, route));
        added.ForEach(port => _claims.Add(port, route));
        if (ports.Count == 0)
        {
            _routes.Remove(route);
        }
        else
        {
            _routes[route] = ports;
        }

        Update(affected.Zip(old, (name, was) => (name, was, _claims.Find(name))).Where(c => c.was != c.Item3).ToList(), change);
    }

    private void Update(List<(string Name, ProxyPort? Old, ProxyPort? New)> changed, ResourceTransaction change)
    {
        foreach (var (_, old, now) in changed)
        {
            Count(now, +1);
            Count(old, -1);
        }

        // The excess is updated first, so that the limit is never exceeded.
        UpdateExcess(change);
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

    // Number of endpoint lists: one per node port with EDS, else one per cluster.
    private int ListCount => _discovery == EndpointDiscovery.Eds ? _usersOfNodePort.Count : _portCount;

    private IReadOnlyList<string> NodesOf(int nodePort) => nodePort < _firstExcessNodePort ? _nodes : [];

    // The limit is applied in the order of node ports, so that the result does not depend on the order of changes.
    private int FirstExcessNodePort()
    {
        var maxLists = endpointBytes / Math.Max(1, _bytesPerNodePort);
        if (ListCount <= maxLists)
        {
            return int.MaxValue;
        }

        long lists = 0;
        return _usersOfNodePort.OrderBy(u => u.Key).First(u => (lists += _discovery == EndpointDiscovery.Eds ? 1 : u.Value) > maxLists).Key;
    }

    private void UpdateExcess(ResourceTransaction change)
    {
        var before = _firstExcessNodePort;
        _firstExcessNodePort = FirstExcessNodePort();
        var (first, last) = before < _firstExcessNodePort ? (before, _firstExcessNodePort) : (_firstExcessNodePort, before);
        foreach (var nodePort in _usersOfNodePort.Keys.Where(p => p >= first && p < last))
        {
            SetEndpoints(nodePort, change);
        }

        if (first != last && _discovery != EndpointDiscovery.Eds)
        {
            foreach (var port in _claims.Served.Where(p => p.NodePort >= first && p.NodePort < last))
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

        _portCount += by;
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

    private void UpdateEndpoints(EndpointDiscovery before, ResourceTransaction change)
    {
        if (before != EndpointDiscovery.Eds || _discovery != EndpointDiscovery.Eds)
        {
            foreach (var port in _claims.Served)
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
