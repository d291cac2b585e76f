using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Envoy.Service.Discovery.V3;

namespace KubeLB.Sandbox.Proxies;

/// <summary>
/// The xDS resources that one proxy has received. The state is kept across connections, so that a reconnected control plane need not send
/// known resources again. Not thread-safe.
/// </summary>
internal sealed class ProxyState
{
    // Cached: each change of one resource converts all of them.
    private readonly Dictionary<string, ProxyListener> _listeners = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Cluster> _clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Cluster> _warming = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ClusterLoadAssignment> _endpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<(string TypeUrl, string Name), string> _versions = [];

    /// <summary>Names of the endpoints that the clusters reference.</summary>
    public HashSet<string> ReferencedEndpoints =>
        _clusters.Values.Concat(_warming.Values).Select(EndpointsOf).OfType<string>().ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether clusters are warming. Envoy does not acknowledge clusters before.</summary>
    public bool IsWarming => _warming.Count > 0;

    /// <summary>Versions of a type's resources, by name.</summary>
    public IEnumerable<KeyValuePair<string, string>> Versions(string typeUrl) =>
        _versions.Where(v => v.Key.TypeUrl == typeUrl).Select(v => KeyValuePair.Create(v.Key.Name, v.Value));

    /// <summary>Applies a response.</summary>
    public void Take(DeltaDiscoveryResponse response)
    {
        foreach (var resource in response.Resources)
        {
            _versions[(response.TypeUrl, resource.Name)] = resource.Version;
            if (resource.Resource_.Is(Listener.Descriptor))
            {
                _listeners[resource.Name] = Describe(resource.Resource_.Unpack<Listener>());
            }
            else if (resource.Resource_.Is(Cluster.Descriptor))
            {
                Add(resource.Name, resource.Resource_.Unpack<Cluster>());
            }
            else if (resource.Resource_.Is(ClusterLoadAssignment.Descriptor))
            {
                _endpoints[resource.Name] = resource.Resource_.Unpack<ClusterLoadAssignment>();
            }
        }

        foreach (var name in response.RemovedResources)
        {
            _versions.Remove((response.TypeUrl, name));
            _ = response.TypeUrl switch
            {
                XdsSource.Listeners => _listeners.Remove(name),
                XdsSource.Clusters => _clusters.Remove(name) | _warming.Remove(name),
                _ => _endpoints.Remove(name),
            };
        }

        if (response.TypeUrl == XdsSource.Endpoints)
        {
            var updated = response.Resources.Select(r => r.Name).Concat(response.RemovedResources).ToHashSet(StringComparer.Ordinal);
            Warmed(updated.Contains);
        }
    }

    /// <summary>Handles a new connection: warming clusters use known endpoints, as Envoy does after a timeout.</summary>
    public void Reconnect() => Warmed(_endpoints.ContainsKey);

    /// <summary>Removes endpoints that no cluster references.</summary>
    public void Forget(string endpoints)
    {
        _endpoints.Remove(endpoints);
        _versions.Remove((XdsSource.Endpoints, endpoints));
    }

    /// <summary>Converts the resources to a snapshot. A listener without cluster or endpoints is not opened yet.</summary>
    public Snapshot Describe()
    {
        var clusters = _clusters.Values.Select(Describe).OfType<ProxyCluster>().ToList();
        var there = clusters.Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        return new Snapshot(_listeners.Values.Where(l => there.Contains(l.Cluster)).DistinctBy(l => l.Port), clusters);
    }

    // As in Envoy, a new or changed cluster waits for endpoints that are sent after it, even if they are known, and the old cluster serves
    // until then.
    private void Add(string name, Cluster cluster)
    {
        _warming.Remove(name);
        if (EndpointsOf(cluster) is null)
        {
            _clusters[name] = cluster;
        }
        else if (!cluster.Equals(_clusters.GetValueOrDefault(name)))
        {
            _warming[name] = cluster;
        }
    }

    private void Warmed(Func<string, bool> hasEndpoints)
    {
        foreach (var (name, cluster) in _warming.Where(w => hasEndpoints(EndpointsOf(w.Value)!)).ToList())
        {
            _clusters[name] = cluster;
            _warming.Remove(name);
        }
    }

    private static string? EndpointsOf(Cluster cluster) =>
        cluster.Type == Cluster.Types.DiscoveryType.Eds
            ? cluster.EdsClusterConfig.ServiceName is { Length: > 0 } service
                ? service
                : cluster.Name
            : null;

    private ProxyCluster? Describe(Cluster cluster)
    {
        var assignment = EndpointsOf(cluster) is { } endpoints ? _endpoints.GetValueOrDefault(endpoints) : cluster.LoadAssignment;
        return assignment is null
            ? null
            : new ProxyCluster(
                cluster.Name,
                cluster.TypedExtensionProtocolOptions.Count > 0 ? UpstreamProtocol.Http2 : UpstreamProtocol.Http1,
                [
                    .. assignment
                        .Endpoints.SelectMany(l => l.LbEndpoints)
                        .Select(e => e.Endpoint.Address.SocketAddress)
                        .Select(a => new ProxyEndpoint(a.Address, (int)a.PortValue)),
                ]
            );
    }

    private static ProxyListener Describe(Listener listener)
    {
        var filter = listener.FilterChains[0].Filters[0].TypedConfig;
        var port = (int)listener.Address.SocketAddress.PortValue;
        return filter.Is(TcpProxy.Descriptor)
            ? new ProxyListener(listener.Name, port, ListenerProtocol.Tcp, filter.Unpack<TcpProxy>().Cluster)
            : new ProxyListener(
                listener.Name,
                port,
                ListenerProtocol.Http,
                filter.Unpack<HttpConnectionManager>().RouteConfig.VirtualHosts[0].Routes[0].Route_.Cluster
            );
    }
}
