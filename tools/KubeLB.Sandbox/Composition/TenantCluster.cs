using System.Net;
using KubeLB.Api.Naming;
using KubeLB.Sandbox.Clusters;

namespace KubeLB.Sandbox.Composition;

/// <summary>A tenant with its cluster.</summary>
public sealed class TenantCluster
{
    internal TenantCluster(string name, ISandboxCluster cluster, IPAddress nodeAddress, ControllerProcess ccm)
    {
        Name = name;
        Cluster = cluster;
        NodeAddress = nodeAddress;
        Ccm = ccm;
    }

    /// <summary>Name of the tenant.</summary>
    public string Name { get; }

    /// <summary>The tenant's namespace in the management cluster; also the node id of its proxy.</summary>
    public string Namespace => TenantNames.Namespace(Name);

    /// <summary>The tenant's cluster.</summary>
    public ISandboxCluster Cluster { get; }

    /// <summary>Address of the cluster's only node.</summary>
    public IPAddress NodeAddress { get; }

    /// <summary>The tenant's CCM.</summary>
    public ControllerProcess Ccm { get; }
}
