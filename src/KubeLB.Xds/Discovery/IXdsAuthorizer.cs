using Grpc.Core;

namespace KubeLB.Xds.Discovery;

/// <summary>Authorizes clients to receive the resources of a node.</summary>
public interface IXdsAuthorizer
{
    /// <summary>Called after the first request of a stream, and again after the stream is registered.</summary>
    /// <param name="node">The node id in the request.</param>
    /// <param name="call">The call, with the client certificate in its auth context and HTTP context.</param>
    /// <returns>Null if the client is authorized; otherwise the reason, which it receives with PERMISSION_DENIED.</returns>
    ValueTask<XdsDenial?> AuthorizeAsync(string node, ServerCallContext call);

    /// <summary>Called when another replica of the control plane requests acknowledgements.</summary>
    /// <param name="call">The call, with the client certificate in its auth context and HTTP context.</param>
    /// <returns>Null if the client is authorized; otherwise the reason, which it receives with PERMISSION_DENIED.</returns>
    ValueTask<string?> AuthorizeReplicaAsync(ServerCallContext call) =>
        ValueTask.FromResult<string?>("Only replicas of the control plane may call this method.");
}

/// <summary>The denial of a stream.</summary>
/// <param name="Reason">The reason, which the client receives.</param>
/// <param name="Identity">The node id that the client is authenticated for; null if none.</param>
public sealed record XdsDenial(string Reason, string? Identity = null);

/// <summary>Allows all clients: for plain text on loopback, and for tests.</summary>
internal sealed class AllowAllAuthorizer : IXdsAuthorizer
{
    public ValueTask<XdsDenial?> AuthorizeAsync(string node, ServerCallContext call) => ValueTask.FromResult<XdsDenial?>(null);

    public ValueTask<string?> AuthorizeReplicaAsync(ServerCallContext call) => ValueTask.FromResult<string?>(null);
}
