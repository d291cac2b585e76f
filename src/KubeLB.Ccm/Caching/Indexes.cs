using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;

namespace KubeLB.Ccm.Caching;

/// <summary>Names of the indexes over the caches, and the functions that compute their values.</summary>
internal static class Indexes
{
    /// <summary>Routes by <c>namespace/name</c> of the Gateways in their parentRefs.</summary>
    public const string ByParentGateway = "parent-gateway";

    /// <summary>Routes by <c>namespace/name</c> of the Services that they refer to.</summary>
    public const string ByBackendService = "backend-service";

    /// <summary>Gateways by their name.</summary>
    public const string ByName = "name";

    /// <summary>Routes, Gateways and ReferenceGrants by their own namespace.</summary>
    public const string ByNamespace = "namespace";

    /// <summary>Gateways by the name of their class.</summary>
    public const string ByGatewayClass = "gateway-class";

    /// <summary>Gateways by <c>namespace/name</c> of the Secrets that their listeners refer to.</summary>
    public const string ByCertificate = "certificate";

    /// <summary>Gateways and routes by the other namespaces that they refer to.</summary>
    public const string ByReferencedNamespace = "referenced-namespace";

    /// <summary>EndpointSlices by <c>namespace/name</c> of their Service.</summary>
    public const string ByService = "service";

    /// <summary>Routes of the management cluster by kind, namespace and name of the tenant's object.</summary>
    public const string ByOrigin = "origin";

    /// <summary>Routes of the management cluster by kind of the tenant's object.</summary>
    public const string ByOriginKind = "origin-kind";

    /// <summary>
    /// Routes of the management cluster by <c>namespace/name</c> of the tenant's Services for which the manager reports generated Services.
    /// </summary>
    public const string ByServedService = "served-service";

    /// <summary>Routes of the management cluster by the names of the objects that were generated from them.</summary>
    public const string ByGeneratedName = "generated-name";

    /// <summary>SyncSecrets of the management cluster by <c>namespace/name</c> of the tenant's Secret.</summary>
    public const string BySecretOrigin = "secret-origin";

    public static IEnumerable<string> ParentGateways(IGatewayRoute route) =>
        RouteAttachment.GatewaysOf(route).Select(g => Key(g.Namespace, g.Name));

    public static IEnumerable<string> BackendServices(IGatewayRoute route) =>
        BackendReferences.ServicesOf(route).Select(s => Key(s.Namespace, s.Name));

    public static IEnumerable<string> Namespace(IGatewayRoute route) => [route.Metadata.NamespaceProperty];

    public static IEnumerable<string> Namespace(Gateway gateway) => [gateway.Namespace];

    public static IEnumerable<string> Name(Gateway gateway) => [gateway.Name];

    public static IEnumerable<string> Namespace(ReferenceGrant grant) => [grant.Namespace];

    public static IEnumerable<string> GatewayClass(Gateway gateway) => [gateway.Spec?.GatewayClassName ?? ""];

    public static IEnumerable<string> Certificates(Gateway gateway) =>
        ListenerCertificates.SecretsOf(gateway).Select(s => Key(s.Namespace, s.Name));

    public static IEnumerable<string> ReferencedNamespaces(Gateway gateway) =>
        ListenerCertificates.SecretsOf(gateway).Select(s => s.Namespace).Where(n => n != gateway.Namespace).Distinct();

    public static IEnumerable<string> ReferencedNamespaces(IGatewayRoute route) =>
        BackendReferences.ServicesOf(route).Select(s => s.Namespace).Where(n => n != route.Metadata.NamespaceProperty).Distinct();

    public static IEnumerable<string> Service(V1EndpointSlice slice) =>
        MirroredEndpointSlices.ServiceOf(slice) is { } service ? [Key(slice.Namespace(), service)] : [];

    public static IEnumerable<string> Origin(Route route) => RouteOrigin.Of(route) is { } origin ? [origin.Key] : [];

    public static IEnumerable<string> OriginKind(Route route) => RouteOrigin.Of(route) is { } origin ? [origin.Kind] : [];

    public static IEnumerable<string> ServedServices(Route route) => route.Status?.Resources?.Services?.Keys ?? Enumerable.Empty<string>();

    public static IEnumerable<GeneratedObject> GeneratedObjects(Route route) =>
        (route.Status?.Resources?.Services?.Values ?? Enumerable.Empty<GeneratedObject>())
            .Append(route.Status?.Resources?.Route)
            .OfType<GeneratedObject>()
            .Where(generated => generated is { GeneratedName.Length: > 0, Namespace.Length: > 0 });

    public static IEnumerable<string> GeneratedNames(Route route) => GeneratedObjects(route).Select(g => g.GeneratedName!).Distinct();

    public static IEnumerable<string> SecretOrigins(SyncSecret syncSecret) =>
        SecretOrigin.Of(syncSecret) is { } origin ? [Key(origin.Namespace, origin.Name)] : [];

    public static string Key(string @namespace, string name) => $"{@namespace}/{name}";
}
