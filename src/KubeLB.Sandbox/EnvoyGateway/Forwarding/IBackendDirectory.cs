using System.Net;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Where a backend is at this moment.</summary>
/// <param name="Exists">Whether the Service and its port exist; if not the answer is 500.</param>
/// <param name="EndPoint">Where it is; null if it has no endpoint, which is answered with 503.</param>
/// <param name="Http2">Whether the Service's port asks for HTTP/2 without TLS.</param>
internal sealed record BackendLocation(bool Exists, IPEndPoint? EndPoint, bool Http2)
{
    /// <summary>No such Service or port.</summary>
    public static BackendLocation Missing { get; } = new(false, null, false);
}

/// <summary>Finds backends.</summary>
internal interface IBackendDirectory
{
    /// <summary>Where a backend is at this moment.</summary>
    BackendLocation Find(BackendTarget backend);
}
