using KubeLB.Xds.Discovery;
using KubeLB.Xds.Replicas;
using KubeLB.Xds.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KubeLB.Xds;

/// <summary>
/// Adds the discovery services to an ASP.NET Core host: <see cref="AddXds"/> for its services, <see cref="MapXds"/> for its endpoints. The
/// listener must use HTTP/2 (<see cref="HttpProtocols.Http2"/> without TLS).
/// </summary>
public static class XdsHosting
{
    /// <summary>
    /// Registers <see cref="ResourceCache"/> and <see cref="XdsStreams"/> as singletons, and the services that use them. Without an
    /// <see cref="IXdsAuthorizer"/> in the host, all clients are allowed. Every registered <see cref="IXdsObserver"/> is notified.
    /// </summary>
    public static IServiceCollection AddXds(this IServiceCollection services, Action<XdsOptions>? configure = null)
    {
        services.AddOptions<XdsOptions>().Configure(configure ?? (static _ => { }));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ResourceCache>();
        services.TryAddSingleton<XdsStreams>();
        services.TryAddSingleton<IXdsAuthorizer, AllowAllAuthorizer>();
        services.AddSingleton<IXdsObserver, LoggingObserver>();
        services.AddSingleton<XdsObservers>();
        services.AddSingleton<DiscoveryServer>();
        services
            .AddOptions<Grpc.AspNetCore.Server.GrpcServiceOptions>()
            .Configure<IOptions<XdsOptions>>((grpc, xds) => grpc.MaxReceiveMessageSize = xds.Value.MaxRequestBytes);
        services
            .AddOptions<KestrelServerOptions>()
            .Configure<IOptions<XdsOptions>>(
                (kestrel, xds) =>
                {
                    kestrel.Limits.Http2.KeepAlivePingDelay = xds.Value.KeepAlivePingDelay;
                    kestrel.Limits.Http2.KeepAlivePingTimeout = xds.Value.KeepAlivePingTimeout;
                    kestrel.Limits.Http2.MaxStreamsPerConnection = xds.Value.MaxStreamsPerConnection;
                }
            );
        services.AddGrpc();
        return services;
    }

    /// <summary>Maps the aggregated service, the service of each type, and the replica service.</summary>
    public static IEndpointRouteBuilder MapXds(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<AggregatedService>();
        endpoints.MapGrpcService<ClustersService>();
        endpoints.MapGrpcService<EndpointsService>();
        endpoints.MapGrpcService<ListenersService>();
        endpoints.MapGrpcService<RoutesService>();
        endpoints.MapGrpcService<SecretsService>();
        endpoints.MapGrpcService<ReplicaServer>();
        return endpoints;
    }
}
