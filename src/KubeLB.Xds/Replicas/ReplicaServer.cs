using Grpc.Core;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Replicas.V1;

namespace KubeLB.Xds.Replicas;

/// <summary>Tells other replicas of this control plane what the clients that are connected here have acknowledged.</summary>
internal sealed class ReplicaServer(XdsStreams streams, IXdsAuthorizer authorizer, Observers observers, TimeProvider time)
    : ReplicaService.ReplicaServiceBase
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    public override async Task<StandingResponse> GetStanding(StandingRequest request, ServerCallContext context)
    {
        if (await authorizer.AuthorizeReplicaAsync(context).ConfigureAwait(false) is { } reason)
        {
            observers.Tell(o => o.ReplicaDenied(request.Node, context.Peer, reason));
            throw new RpcException(new Status(StatusCode.PermissionDenied, reason));
        }

        XdsResourceVersion[] resources = [.. request.Resources.Select(r => new XdsResourceVersion(r.TypeUrl, r.Name, r.Version))];
        var wait = TimeSpan.FromMilliseconds(Math.Min(request.WaitMilliseconds, LongestWait.TotalMilliseconds));
        var clients = await WaitAsync(request.Node, resources, wait, context.CancellationToken).ConfigureAwait(false);
        return new StandingResponse { Clients = { clients.Select(Write) } };
    }

    private static ClientStanding Write(XdsClientAcknowledgement client) =>
        new()
        {
            Pod = client.Pod ?? "",
            Host = client.Host,
            Standing = client.Standing switch
            {
                XdsAcknowledgementState.Acknowledged => ClientStanding.Types.Standing.Acknowledged,
                XdsAcknowledgementState.Rejected => ClientStanding.Types.Standing.Rejected,
                _ => ClientStanding.Types.Standing.Pending,
            },
            Message = client.Rejection?.Message ?? "",
            TypeUrl = client.Rejection?.TypeUrl ?? "",
        };

    private async Task<IReadOnlyList<XdsClientAcknowledgement>> WaitAsync(
        string node,
        IReadOnlyCollection<XdsResourceVersion> resources,
        TimeSpan wait,
        CancellationToken cancellationToken
    )
    {
        var changed = new Signal();
        streams.Changed += OnChanged;
        try
        {
            using var limit = new CancellationTokenSource(wait, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
            while (true)
            {
                var clients = streams.AcknowledgementOf(node, resources);
                if (clients.All(c => c.Standing != XdsAcknowledgementState.Pending) || limit.IsCancellationRequested)
                {
                    return clients;
                }

                try
                {
                    await changed.WaitAsync(either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // The time is over: what is known now is the answer.
                }
            }
        }
        finally
        {
            streams.Changed -= OnChanged;
        }

        void OnChanged(string changedNode)
        {
            if (changedNode == node)
            {
                changed.Set();
            }
        }
    }
}
