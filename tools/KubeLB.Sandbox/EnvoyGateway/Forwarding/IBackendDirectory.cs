using System.Net;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>Where a backend is at this moment.</summary>
/// <param name="Exists">Whether the Service and its port exist; if not the answer is 500.</param>
/// <param name="EndPoints">Where it is, the next one to take first; none is answered with 503.</param>
/// <param name="Http2">Whether the Service's port asks for HTTP/2 without TLS.</param>
internal sealed record BackendLocation(bool Exists, IReadOnlyList<IPEndPoint> EndPoints, bool Http2)
{
    /// <summary>No such Service or port.</summary>
    public static BackendLocation Missing { get; } = new(false, [], false);
}

/// <summary>Finds backends.</summary>
internal interface IBackendDirectory
{
    /// <summary>Where a backend is at this moment.</summary>
    BackendLocation Find(BackendTarget backend);
}
