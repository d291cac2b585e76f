using System.Net;

namespace KubeLB.Sandbox.Composition;

/// <summary>A line that an Envoy printed.</summary>
/// <param name="Pod">The Envoy's pod.</param>
/// <param name="Address">The pod's address.</param>
/// <param name="Text">The line.</param>
public sealed record ProxyLine(string Pod, IPAddress? Address, string Text);
