using System.Net;

namespace KubeLB.Sandbox.Pods;

/// <summary>Who an echo backend answers as.</summary>
/// <param name="Cluster">Name of the cluster that the pod belongs to.</param>
/// <param name="Namespace">Namespace of the pod.</param>
/// <param name="Name">Name of the pod.</param>
/// <param name="Node">Node that the pod runs on.</param>
/// <param name="Address">The pod's IP address.</param>
internal sealed record EchoPod(string Cluster, string Namespace, string Name, string Node, IPAddress Address);

/// <summary>A port of an echo backend; the owner of its socket.</summary>
/// <param name="Pod">The pod.</param>
/// <param name="Port">The container port, which is not the socket's port where that could not be bound.</param>
internal sealed record EchoPort(EchoPod Pod, int Port);
