using Grpc.Core;

namespace KubeLB.Xds.Discovery;

/// <summary>Decides which client may have which node's resources.</summary>
public interface IXdsAuthorizer
{
    /// <summary>Asked once per stream, when the client has said its node id.</summary>
    /// <param name="node">The node id that the client claims.</param>
    /// <param name="call">The call, with the client's certificate in its auth context and HTTP context.</param>
    /// <returns>Null if it may; else the reason for the refusal, which the client is told with PERMISSION_DENIED.</returns>
    ValueTask<string?> RefuseAsync(string node, ServerCallContext call);
}

/// <summary>Answers everybody: for plain text on loopback, and for tests.</summary>
internal sealed class EverybodyMay : IXdsAuthorizer
{
    public ValueTask<string?> RefuseAsync(string node, ServerCallContext call) => ValueTask.FromResult<string?>(null);
}
