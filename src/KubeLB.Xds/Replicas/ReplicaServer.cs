using Grpc.Core;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Replicas.V1;

namespace KubeLB.Xds.Replicas;

/// <summary>Reports the acknowledgements of clients of this replica to other replicas of the control plane.</summary>
internal sealed class ReplicaServer(XdsStreams streams, IXdsAuthorizer authorizer, XdsObservers observers, TimeProvider time)
    : ReplicaService.ReplicaServiceBase
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    public override async Task<AcknowledgementsResponse> GetAcknowledgements(AcknowledgementsRequest request, ServerCallContext context)
    {
        if (await authorizer.AuthorizeReplicaAsync(context).ConfigureAwait(false) is { } reason)
        {
            observers.Notify(o => o.ReplicaDenied(request.Node, context.Peer, reason));
            throw new RpcException(new Status(StatusCode.PermissionDenied, reason));
        }

        XdsResourceVersion[] resources = [.. request.Resources.Select(r => new XdsResourceVersion(r.TypeUrl, r.Name, r.Version))];
        var wait = TimeSpan.FromMilliseconds(Math.Min(request.WaitMilliseconds, MaxWait.TotalMilliseconds));
        var clients = await WaitAsync(request.Node, resources, wait, context.CancellationToken).ConfigureAwait(false);
        return new AcknowledgementsResponse { Clients = { clients.Select(Encode) } };
    }

    private static ClientAcknowledgement Encode(XdsClientAcknowledgement client) =>
        new()
        {
            Pod = client.Pod ?? "",
            Host = client.Host,
            State = client.State switch
            {
                XdsAcknowledgementState.Acknowledged => ClientAcknowledgement.Types.State.Acknowledged,
                XdsAcknowledgementState.Rejected => ClientAcknowledgement.Types.State.Rejected,
                _ => ClientAcknowledgement.Types.State.Pending,
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
                if (clients.All(c => c.State != XdsAcknowledgementState.Pending) || limit.IsCancellationRequested)
                {
                    return clients;
                }

                try
                {
                    await changed.WaitAsync(either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // The wait time has elapsed: the next iteration returns the current state.
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
