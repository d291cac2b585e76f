using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Ccm;

/// <summary>The kinds of routes that a CCM knows.</summary>
internal static class RouteKinds
{
    /// <summary>The routes of every kind, by index.</summary>
    public static IEnumerable<IGatewayRoute> ByIndex(Cluster tenant, string index, string value) =>
        tenant.Informer<HttpRoute>().ByIndex(index, value).Concat<IGatewayRoute>(tenant.Informer<GrpcRoute>().ByIndex(index, value));
}
