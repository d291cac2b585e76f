using System.Net;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>Where this host serves xDS. Filled in while the host starts.</summary>
public sealed class XdsEndpoint
{
    /// <summary>Address and port; null if xDS is not served.</summary>
    public IPEndPoint? Address { get; internal set; }
}
