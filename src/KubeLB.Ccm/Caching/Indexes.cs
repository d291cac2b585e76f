using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Routes;

namespace KubeLB.Ccm.Caching;

/// <summary>Names of the indexes over the caches, and what they hold.</summary>
internal static class Indexes
{
    /// <summary>Routes by <c>namespace/name</c> of the Gateways that their parentRefs name.</summary>
    public const string ByParentGateway = "parent-gateway";

    /// <summary>Routes by <c>namespace/name</c> of the Services that they refer to.</summary>
    public const string ByBackendService = "backend-service";

    /// <summary>Routes by their own namespace.</summary>
    public const string ByNamespace = "namespace";

    /// <summary>Gateways by the name of their class.</summary>
    public const string ByGatewayClass = "gateway-class";

    /// <summary>EndpointSlices by <c>namespace/name</c> of their Service.</summary>
    public const string ByService = "service";

    /// <summary>Routes of the management cluster by kind, namespace and name of the tenant's object.</summary>
    public const string ByOrigin = "origin";

    /// <summary>
    /// Routes of the management cluster by <c>namespace/name</c> of the tenant's Services that they lead to, as the manager reports.
    /// </summary>
    public const string ByServedService = "served-service";

    /// <summary>Routes of the management cluster by kind of the tenant's object.</summary>
    public const string ByOriginKind = "origin-kind";

    public static IEnumerable<string> ParentGateways(IGatewayRoute route) =>
        RouteAttachment.GatewaysOf(route).Select(g => Key(g.Namespace, g.Name));

    public static IEnumerable<string> BackendServices(IGatewayRoute route) =>
        BackendReferences.ServicesOf(route).Select(s => Key(s.Namespace, s.Name));

    public static IEnumerable<string> Namespace(IGatewayRoute route) => [route.Metadata.NamespaceProperty];

    public static IEnumerable<string> GatewayClass(Gateway gateway) => [gateway.Spec?.GatewayClassName ?? ""];

    public static IEnumerable<string> Service(V1EndpointSlice slice) =>
        MirroredEndpointSlices.ServiceOf(slice) is { } service ? [Key(slice.Namespace(), service)] : [];

    public static IEnumerable<string> Origin(Route route) => RouteOrigin.Of(route) is { } origin ? [origin.Key] : [];

    public static IEnumerable<string> OriginKind(Route route) => RouteOrigin.Of(route) is { } origin ? [origin.Kind] : [];

    public static IEnumerable<string> ServedServices(Route route) => route.Status?.Resources?.Services?.Keys ?? Enumerable.Empty<string>();

    public static string Key(string @namespace, string name) => $"{@namespace}/{name}";
}
