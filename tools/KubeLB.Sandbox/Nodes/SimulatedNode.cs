using System.Net;

namespace KubeLB.Sandbox.Nodes;

/// <summary>The node that a simulated cluster consists of.</summary>
/// <param name="Cluster">Name of the cluster.</param>
/// <param name="Name">Name of the node.</param>
/// <param name="Address">Its loopback address, reported as InternalIP and ExternalIP.</param>
/// <param name="Zone">Value of the zone label.</param>
internal sealed record SimulatedNode(string Cluster, string Name, IPAddress Address, string Zone);
