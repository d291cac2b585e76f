using Envoy.Service.Cluster.V3;
using Envoy.Service.Discovery.V3;
using Grpc.Core;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Services;

internal sealed class ClustersService(DiscoveryServer server) : ClusterDiscoveryService.ClusterDiscoveryServiceBase
{
    public override Task StreamClusters(
        IAsyncStreamReader<DiscoveryRequest> requestStream,
        IServerStreamWriter<DiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.StateOfTheWorldAsync(requestStream, responseStream, context, ResourceTypes.Cluster);

    public override Task DeltaClusters(
        IAsyncStreamReader<DeltaDiscoveryRequest> requestStream,
        IServerStreamWriter<DeltaDiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.DeltaAsync(requestStream, responseStream, context, ResourceTypes.Cluster);
}
