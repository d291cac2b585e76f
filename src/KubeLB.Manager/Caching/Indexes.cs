using System.Net;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Services;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Caching;

/// <summary>Names of the indexes over the caches, and the functions that compute their values.</summary>
internal static class Indexes
{
    /// <summary>Objects by namespace.</summary>
    public const string ByNamespace = "namespace";

    /// <summary>Routes by tenant namespace and kind, namespace and name of the source object.</summary>
    public const string ByOrigin = "origin";

    /// <summary>Routes by tenant namespace and kind of the source object.</summary>
    public const string ByOriginKind = "origin-kind";

    /// <summary>Routes of HTTPRoutes and GRPCRoutes by tenant namespace and <c>namespace/name</c> of their parent Gateways.</summary>
    public const string ByParentGateway = "parent-gateway";

    /// <summary>Generated objects by the UID of their owner Route.</summary>
    public const string ByOwner = "owner";

    /// <summary>Generated Gateways by GatewayClass.</summary>
    public const string ByGatewayClass = "gateway-class";

    /// <summary>Generated Services by tenant namespace.</summary>
    public const string ByProxy = "proxy";

    /// <summary>Routes of Gateways by tenant namespace and <c>namespace/name</c> of the Secrets that their listeners refer to.</summary>
    public const string ByCertificate = "certificate";

    /// <summary>Generated Secrets by tenant namespace and <c>namespace/name</c> of the source Secret.</summary>
    public const string BySecretOrigin = "secret-origin";

    /// <summary>Generated Secrets by the UID of their SyncSecret.</summary>
    public const string BySyncSecret = "sync-secret";

    /// <summary>Secrets with tokens of CCMs by tenant namespace.</summary>
    public const string ByToken = "token";

    /// <summary>Routes by the values of <see cref="HostnameClaims.IndexValues(Route)"/>.</summary>
    public const string ByHostname = "hostname";

    /// <summary>Addresses by the IP addresses and hostnames that they list.</summary>
    public const string ByNodeAddress = "node-address";

    public static IEnumerable<string> NodeAddresses(Addresses addresses) =>
        addresses.Name == Addresses.DefaultName
            ? (addresses.Spec?.Addresses ?? [])
                .Select(a => IPAddress.TryParse(a?.Ip, out var ip) ? $"{ip}" : a?.Hostname?.ToLowerInvariant().TrimEnd('.'))
                .OfType<string>()
                .Distinct(StringComparer.Ordinal)
            : [];

    public static IEnumerable<string> Namespace(IKubernetesObject<V1ObjectMeta> value) => [value.Metadata.NamespaceProperty ?? ""];

    public static IEnumerable<string> Origin(Route route) =>
        RouteOrigin.Of(route) is { } origin ? [OriginKey(route.Namespace, origin.Kind, origin.Namespace, origin.Name)] : [];

    public static string OriginKey(string tenantNamespace, string kind, string @namespace, string name) =>
        $"{tenantNamespace}/{RouteOrigin.KeyOf(kind, @namespace, name)}";

    public static IEnumerable<string> OriginKind(Route route) =>
        RouteOrigin.Of(route) is { } origin ? [OriginKindKey(route.Namespace, origin.Kind)] : [];

    public static string OriginKindKey(string tenantNamespace, string kind) => $"{tenantNamespace}/{kind}";

    public static IEnumerable<string> ParentGateways(Route route) =>
        SourceObject.Read(route).Source?.Value is IGatewayRoute source
            ? RouteAttachment.GatewaysOf(source).Select(g => GatewayKey(route.Namespace, g.Namespace, g.Name))
            : [];

    public static string GatewayKey(string tenantNamespace, string @namespace, string name) => $"{tenantNamespace}/{@namespace}/{name}";

    public static IEnumerable<string> GatewayClassOf(Gateway gateway) =>
        gateway.Spec?.GatewayClassName is { Length: > 0 } name ? [name] : [];

    public static IEnumerable<string> Certificates(Route route) =>
        SourceObject.Read(route).Source?.Value is Gateway gateway
            ? ListenerCertificates.SecretsOf(gateway).Select(s => SecretKey(route.Namespace, s.Namespace, s.Name))
            : [];

    public static IEnumerable<string> SecretOrigins(V1Secret secret) =>
        SyncSecretOf(secret) is not null && SecretOrigin.Of(secret) is { } origin
            ? [SecretKey(secret.Namespace(), origin.Namespace, origin.Name)]
            : [];

    public static string SecretKey(string tenantNamespace, string @namespace, string name) => $"{tenantNamespace}/{@namespace}/{name}";

    /// <summary>The SyncSecret from which a Secret was generated; null if none.</summary>
    public static V1OwnerReference? SyncSecretOf(V1Secret secret) =>
        secret.Metadata.OwnerReferences?.FirstOrDefault(o => o.Kind == SyncSecret.KindName && o.ApiVersion == KubelbVersion.ApiVersion);

    public static IEnumerable<string> SyncSecrets(V1Secret secret) => SyncSecretOf(secret) is { } owner ? [owner.Uid] : [];

    public static IEnumerable<string> Owner(IKubernetesObject<V1ObjectMeta> value) => OwnerOf(value) is { } owner ? [owner.Uid] : [];

    /// <summary>The Route from which an object was generated; null if none.</summary>
    public static V1OwnerReference? OwnerOf(IKubernetesObject<V1ObjectMeta> value) =>
        value.Metadata.OwnerReferences?.FirstOrDefault(o => o.Kind == Route.KindName && o.ApiVersion == KubelbVersion.ApiVersion);

    public static IEnumerable<string> Proxy(V1Service service) =>
        OwnerOf(service) is not null || LegacyServices.OriginOf(service) is not null ? [service.Namespace()] : [];

    /// <summary>Whether an object is labelled as generated and has no owner reference.</summary>
    public static bool IsOrphan(IKubernetesObject<V1ObjectMeta> value) =>
        value.Metadata.OwnerReferences is not { Count: > 0 }
        && value.Metadata.Labels?.TryGetValue(Labels.ManagedBy, out var by) == true
        && by == Labels.ManagedByKubelb;

    /// <summary>Key of the Route from which an object was generated.</summary>
    public static IEnumerable<ResourceKey> OwnerKey(IKubernetesObject<V1ObjectMeta> value) =>
        OwnerOf(value) is { } owner ? [new ResourceKey(value.Metadata.NamespaceProperty, owner.Name)] : [];
}
