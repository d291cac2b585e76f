using KubeLB.Api.GatewayApi;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Ccm;

/// <summary>The kinds of routes that this CCM serves.</summary>
internal sealed class RouteKinds(CcmOptions options)
{
    /// <summary>Whether HTTPRoutes are served.</summary>
    public bool Http => options.EnableGatewayApi && !options.DisableHttpRouteController;

    /// <summary>Whether GRPCRoutes are served.</summary>
    public bool Grpc => options.EnableGatewayApi && !options.DisableGrpcRouteController;

    /// <summary>The routes of every kind that is served, by index.</summary>
    public IEnumerable<IGatewayRoute> ByIndex(Cluster tenant, string index, string value)
    {
        IEnumerable<IGatewayRoute> http = Http ? tenant.Informer<HttpRoute>().ByIndex(index, value) : [];
        IEnumerable<IGatewayRoute> grpc = Grpc ? tenant.Informer<GrpcRoute>().ByIndex(index, value) : [];
        return http.Concat(grpc);
    }
}
