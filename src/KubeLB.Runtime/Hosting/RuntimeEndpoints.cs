using System.Net;

namespace KubeLB.Runtime.Hosting;

/// <summary>Where this host's probes and metrics are served. Filled in while the host starts.</summary>
public sealed class RuntimeEndpoints
{
    /// <summary>Bound address of <c>/healthz</c> and <c>/readyz</c>; null if they are disabled or not started yet.</summary>
    public IPEndPoint? Probe { get; internal set; }

    /// <summary>Bound address of <c>/metrics</c>; null if disabled or not started yet.</summary>
    public IPEndPoint? Metrics { get; internal set; }
}
