using Envoy.Service.Discovery.V3;
using Envoy.Service.Secret.V3;
using Grpc.Core;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;

namespace KubeLB.Xds.Services;

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
