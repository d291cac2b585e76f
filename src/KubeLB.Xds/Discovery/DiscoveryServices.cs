using Envoy.Service.Cluster.V3;
using Envoy.Service.Discovery.V3;
using Envoy.Service.Endpoint.V3;
using Envoy.Service.Listener.V3;
using Envoy.Service.Route.V3;
using Envoy.Service.Secret.V3;
using Grpc.Core;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Discovery;

internal sealed class AggregatedService(DiscoveryServer server) : AggregatedDiscoveryService.AggregatedDiscoveryServiceBase
{
    public override Task StreamAggregatedResources(
        IAsyncStreamReader<DiscoveryRequest> requestStream,
        IServerStreamWriter<DiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.StateOfTheWorldAsync(requestStream, responseStream, context);

    public override Task DeltaAggregatedResources(
        IAsyncStreamReader<DeltaDiscoveryRequest> requestStream,
        IServerStreamWriter<DeltaDiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.DeltaAsync(requestStream, responseStream, context);
}

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

internal sealed class RoutesService(DiscoveryServer server) : RouteDiscoveryService.RouteDiscoveryServiceBase
{
    public override Task StreamRoutes(
        IAsyncStreamReader<DiscoveryRequest> requestStream,
        IServerStreamWriter<DiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.StateOfTheWorldAsync(requestStream, responseStream, context, ResourceTypes.RouteConfiguration);

    public override Task DeltaRoutes(
        IAsyncStreamReader<DeltaDiscoveryRequest> requestStream,
        IServerStreamWriter<DeltaDiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.DeltaAsync(requestStream, responseStream, context, ResourceTypes.RouteConfiguration);
}

internal sealed class SecretsService(DiscoveryServer server) : SecretDiscoveryService.SecretDiscoveryServiceBase
{
    public override Task StreamSecrets(
        IAsyncStreamReader<DiscoveryRequest> requestStream,
        IServerStreamWriter<DiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.StateOfTheWorldAsync(requestStream, responseStream, context, ResourceTypes.Secret);

    public override Task DeltaSecrets(
        IAsyncStreamReader<DeltaDiscoveryRequest> requestStream,
        IServerStreamWriter<DeltaDiscoveryResponse> responseStream,
        ServerCallContext context
    ) => server.DeltaAsync(requestStream, responseStream, context, ResourceTypes.Secret);
}
