using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Caching;

/// <summary>Which keys a change of a ReferenceGrant or a Secret concerns, and which Secrets a change of a Gateway concerns.</summary>
internal sealed class ReferenceDependents([FromKeyedServices(ClusterNames.Tenant)] Cluster tenant, Dependents dependents)
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    /// <summary>Gateways whose listeners refer to the Secret.</summary>
    public IEnumerable<ResourceKey> GatewaysOf(V1Secret secret) =>
        _gateways.ByIndex(ReferenceIndexes.ByCertificate, Indexes.Key(secret.Namespace(), secret.Name())).Select(g => ResourceKey.Of(g));

    /// <summary>Gateways that refer into the namespace of the grant from another one.</summary>
    public IEnumerable<ResourceKey> GatewaysOf(ReferenceGrant grant) => ReferringGateways(grant).Select(g => ResourceKey.Of(g));

    /// <summary>Routes that refer into the namespace of the grant from another one.</summary>
    public IEnumerable<T> RoutesOf<T>(ReferenceGrant grant)
        where T : class, IGatewayRoute => tenant.Informer<T>().ByIndex(ReferenceIndexes.ByReferencedNamespace, grant.Namespace);

    /// <summary>Services of the grant's namespace that routes of others refer to.</summary>
    public IEnumerable<ResourceKey> ServicesOf<T>(ReferenceGrant grant)
        where T : class, IGatewayRoute =>
        RoutesOf<T>(grant).SelectMany(r => Dependents.ServicesOf(r)).Where(s => s.Namespace == grant.Namespace).Distinct();

    /// <summary>Secrets of the Gateways whose class came, went or got another controller.</summary>
    public IEnumerable<ResourceKey> SecretsOf(Change<GatewayClass> change) =>
        dependents.GatewaysOf(change).Select(_gateways.Get).OfType<Gateway>().SelectMany(SecretsOf).Distinct();

    /// <summary>Secrets of a Gateway whose Route is gone: it may have been released.</summary>
    public IEnumerable<ResourceKey> SecretsOf(Change<Route> change) =>
        change is { Old: { } old, New: null }
        && RouteOrigin.Of(old) is { Kind: Gateway.KindName } origin
        && _gateways.Get(origin.Namespace, origin.Name) is { } gateway
            ? SecretsOf(gateway)
            : [];

    /// <summary>Secrets of the grant's namespace that Gateways of others refer to.</summary>
    public IEnumerable<ResourceKey> SecretsOf(ReferenceGrant grant) =>
        ReferringGateways(grant).SelectMany(SecretsOf).Where(s => s.Namespace == grant.Namespace).Distinct();

    private IReadOnlyList<Gateway> ReferringGateways(ReferenceGrant grant) =>
        _gateways.ByIndex(ReferenceIndexes.ByReferencedNamespace, grant.Namespace);

    /// <summary>Secrets that the listeners of a Gateway refer to, or did before.</summary>
    public static IEnumerable<ResourceKey> SecretsOf(Change<Gateway> change) =>
        Dependents.IsOfStatusOnly(change) ? [] : change.Both().SelectMany(SecretsOf).Distinct();

    private static IEnumerable<ResourceKey> SecretsOf(Gateway gateway) =>
        ListenerCertificates.SecretsOf(gateway).Select(s => new ResourceKey(s.Namespace, s.Name));
}
