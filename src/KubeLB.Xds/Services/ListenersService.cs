using Envoy.Service.Discovery.V3;
using Envoy.Service.Listener.V3;
using Grpc.Core;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Services;

internal sealed class ListenersService(DiscoveryServer server) : ListenerDiscoveryService.ListenerDiscoveryServiceBase
{
    public override Task StreamListeners(
        IAsyncStreamReader<DiscoveryRequest> requestStream,
        IServerStreamWriter<DiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.StateOfTheWorldAsync(requestStream, responseStream, context, ResourceTypes.Listener);

    public override Task DeltaListeners(
        IAsyncStreamReader<DeltaDiscoveryRequest> requestStream,
        IServerStreamWriter<DeltaDiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.DeltaAsync(requestStream, responseStream, context, ResourceTypes.Listener);
}
