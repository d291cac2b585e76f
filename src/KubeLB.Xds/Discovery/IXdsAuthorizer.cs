using Grpc.Core;

namespace KubeLB.Xds.Discovery;

/// <summary>Decides which client may have which node's resources.</summary>
public interface IXdsAuthorizer
{
    /// <summary>Asked once per stream, when the client has said its node id.</summary>
    /// <param name="node">The node id that the client claims.</param>
    /// <param name="call">The call, with the client's certificate in its auth context and HTTP context.</param>
    /// <returns>Null if it may; else why not, which the client is told with PERMISSION_DENIED.</returns>
    ValueTask<XdsDenial?> AuthorizeAsync(string node, ServerCallContext call);

    /// <summary>Asked when a client wants to know, as another replica of the control plane, what clients have acknowledged.</summary>
    /// <param name="call">The call, with the client's certificate in its auth context and HTTP context.</param>
    /// <returns>Null if it may; else why not, which the client is told with PERMISSION_DENIED.</returns>
    ValueTask<string?> AuthorizeReplicaAsync(ServerCallContext call) =>
        ValueTask.FromResult<string?>("Only replicas of the control plane may ask for this.");
}

/// <summary>Why a client may not have a node's resources.</summary>
/// <param name="Reason">What it is told.</param>
/// <param name="Identity">The node id that it has proved to be for; null if none.</param>
public sealed record XdsDenial(string Reason, string? Identity = null);

/// <summary>Answers everybody: for plain text on loopback, and for tests.</summary>
internal sealed class AllowAllAuthorizer : IXdsAuthorizer
{
    public ValueTask<XdsDenial?> AuthorizeAsync(string node, ServerCallContext call) => ValueTask.FromResult<XdsDenial?>(null);

    public ValueTask<string?> AuthorizeReplicaAsync(ServerCallContext call) => ValueTask.FromResult<string?>(null);
}
