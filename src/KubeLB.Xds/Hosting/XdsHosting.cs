using KubeLB.Xds.Discovery;
using KubeLB.Xds.Replicas;
using KubeLB.Xds.Resources;
using KubeLB.Xds.Services;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KubeLB.Xds.Hosting;

/// <summary>
/// Puts the discovery services into an ASP.NET Core host: <see cref="AddXds"/> on its services, <see cref="MapXds"/> on its routes. The
/// port that serves them speaks HTTP/2 (<see cref="HttpProtocols.Http2"/> on a plain-text port).
/// </summary>
public static class XdsHosting
{
    /// <summary>
    /// Registers <see cref="ResourceCache"/> and <see cref="XdsStreams"/> as singletons, and the services that serve from them.
    /// An <see cref="IXdsAuthorizer"/> registered by the host decides who may have what (else everybody may); every registered
    /// <see cref="IXdsObserver"/> hears what happens.
    /// </summary>
    public static IServiceCollection AddXds(this IServiceCollection services, Action<XdsOptions>? configure = null)
    {
        services.AddOptions<XdsOptions>().Configure(configure ?? (static _ => { }));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ResourceCache>();
        services.TryAddSingleton<XdsStreams>();
        services.TryAddSingleton<IXdsAuthorizer, AllowAllAuthorizer>();
        services.AddSingleton<IXdsObserver, LoggingObserver>();
        services.AddSingleton<Observers>();
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

    /// <summary>Maps the aggregated service, those of each type, and the one for other replicas.</summary>
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
