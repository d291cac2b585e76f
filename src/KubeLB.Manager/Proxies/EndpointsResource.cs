using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// The tenant's nodes on one node port, as Envoy's endpoints. All clusters of a node port share them, so that a change of the nodes is one
/// small resource per node port. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/endpoint/v3/endpoint.proto
/// </summary>
internal static class EndpointsResource
{
    /// <summary>Name of the resource for a node port.</summary>
    public static string NameFor(int nodePort) => $"nodeport-{nodePort}";

    /// <summary>The endpoints.</summary>
    /// <param name="name">Name of the resource.</param>
    /// <param name="nodes">Addresses of the tenant's nodes: IP addresses, or absolute host names.</param>
    /// <param name="nodePort">The port of each, 1-65535.</param>
    public static ClusterLoadAssignment Build(string name, IEnumerable<string> nodes, int nodePort)
    {
        var endpoints = new LocalityLbEndpoints();
        endpoints.LbEndpoints.AddRange(
            nodes.Select(node => new LbEndpoint
            {
                Endpoint = new Endpoint
                {
                    Address = new Address
                    {
                        SocketAddress = new SocketAddress { Address = node, PortValue = (uint)nodePort },
                    },
                },
            })
        );
        return new ClusterLoadAssignment { ClusterName = name, Endpoints = { endpoints } };
    }

    /// <summary>Whether Envoy has to resolve an address, which endpoints of EDS cannot be.</summary>
    public static bool IsHostname(string node) => !System.Net.IPAddress.TryParse(node, out _);
}
