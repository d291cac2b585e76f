using Envoy.Service.Discovery.V3;
using Envoy.Service.Endpoint.V3;
using Grpc.Core;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Services;

internal sealed class EndpointsService(DiscoveryServer server) : EndpointDiscoveryService.EndpointDiscoveryServiceBase
{
    public override Task StreamEndpoints(
        IAsyncStreamReader<DiscoveryRequest> requestStream,
        IServerStreamWriter<DiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.StateOfTheWorldAsync(requestStream, responseStream, context, ResourceTypes.ClusterLoadAssignment);

    public override Task DeltaEndpoints(
        IAsyncStreamReader<DeltaDiscoveryRequest> requestStream,
        IServerStreamWriter<DeltaDiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.DeltaAsync(requestStream, responseStream, context, ResourceTypes.ClusterLoadAssignment);
}
