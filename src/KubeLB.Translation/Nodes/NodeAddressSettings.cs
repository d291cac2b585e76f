using k8s.Models;

namespace KubeLB.Translation.Nodes;

/// <summary>Which nodes' addresses proxies send to.</summary>
/// <param name="AddressType"><c>ExternalIP</c>, <c>InternalIP</c> or <c>Hostname</c>.</param>
/// <param name="Selector">Labels that a node must have; null for all nodes.</param>
/// <param name="MaxCount">At most this many addresses; 0 for no limit.</param>
public sealed record NodeAddressSettings(string AddressType, V1LabelSelector? Selector = null, int MaxCount = 0);
