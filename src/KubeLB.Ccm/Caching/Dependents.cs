using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Caching;

/// <summary>Maps a changed object to the keys of the objects that depend on it, by indexes.</summary>
internal sealed class Dependents([FromKeyedServices(ClusterNames.Tenant)] Cluster tenant, NodeAddressSettings nodeSettings)
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    /// <summary>Gateways of a class that was created, deleted, accepted, or assigned to another controller.</summary>
    public IEnumerable<ResourceKey> GatewaysOf(Change<GatewayClass> change) =>
        IsWithoutEffect(change) ? [] : change.Both().SelectMany(GatewaysOf).Distinct();

    /// <summary>
    /// All Gateways, when Addresses are created in the tenant's namespace: the management cluster now accepts objects that it rejected.
    /// Also when the tenant loses its last usable node, or has one again.
    /// </summary>
    public IEnumerable<ResourceKey> GatewaysOf(Change<Addresses> change) =>
        change is { Old: null, New: not null }
        || NodeAddressProblem.Of(change.Old, nodeSettings) != NodeAddressProblem.Of(change.New, nodeSettings)
            ? _gateways.List().Select(g => ResourceKey.Of(g))
            : [];

    /// <summary>Gateways whose listeners refer to the Secret.</summary>
    public IEnumerable<ResourceKey> GatewaysOf(V1Secret secret) =>
        _gateways.ByIndex(Indexes.ByCertificate, Indexes.Key(secret.Namespace(), secret.Name())).Select(g => ResourceKey.Of(g));

    /// <summary>Gateways of other namespaces that refer to objects in the grant's namespace.</summary>
    public IEnumerable<ResourceKey> GatewaysOf(ReferenceGrant grant) => ReferringGateways(grant).Select(g => ResourceKey.Of(g));

    /// <summary>
    /// Routes whose parentRefs name the changed Gateway. A change of only its status affects them if it changes the rejection by the
    /// management cluster.
    /// </summary>
    public IEnumerable<T> RoutesOf<T>(Change<Gateway> change)
        where T : class, IGatewayRoute =>
        IsStatusOnly(change) && GatewayStatusTranslator.RejectionOf(change.Old!) == GatewayStatusTranslator.RejectionOf(change.New!)
            ? []
            : RoutesOf<T>((change.New ?? change.Old)!);

    /// <summary>Routes of Gateways whose class was created, deleted, accepted, or assigned to another controller.</summary>
    public IEnumerable<T> RoutesOf<T>(Change<GatewayClass> change)
        where T : class, IGatewayRoute => IsWithoutEffect(change) ? [] : RoutesOf<T>((change.New ?? change.Old)!);

    /// <summary>
    /// Routes of a Namespace whose labels changed; also routes that refer to a Namespace that was created or deleted, which they report.
    /// </summary>
    public IEnumerable<T> RoutesOf<T>(Change<V1Namespace> change)
        where T : class, IGatewayRoute =>
        SameLabels(change.Old, change.New)
            ? []
            : tenant
                .Informer<T>()
                .ByIndex(Indexes.ByNamespace, change.Key.Name)
                .Concat(
                    change.Old is null || change.New is null
                        ? tenant.Informer<T>().ByIndex(Indexes.ByReferencedNamespace, change.Key.Name)
                        : []
                );

    /// <summary>Routes that refer to the Service, or to the Service that this node-port Service belongs to.</summary>
    public IEnumerable<T> RoutesOf<T>(V1Service service)
        where T : class, IGatewayRoute => ServiceKeys(service).SelectMany(RoutesOf<T>);

    /// <summary>Routes that refer to the Service.</summary>
    public IEnumerable<T> RoutesOf<T>(ResourceKey service)
        where T : class, IGatewayRoute =>
        tenant.Informer<T>().ByIndex(Indexes.ByBackendService, Indexes.Key(service.Namespace, service.Name));

    /// <summary>Routes that refer to the Service of an EndpointSlice whose readiness changed.</summary>
    public IEnumerable<T> RoutesOf<T>(Change<V1EndpointSlice> change)
        where T : class, IGatewayRoute =>
        change is { Old: { } old, New: { } now } && BackendReadiness.IsEquivalent(old, now)
            ? []
            : change
                .Both()
                .SelectMany(Indexes.Service)
                .Distinct()
                .SelectMany(s => tenant.Informer<T>().ByIndex(Indexes.ByBackendService, s));

    /// <summary>Routes of other namespaces that refer to objects in the grant's namespace.</summary>
    public IEnumerable<T> RoutesOf<T>(ReferenceGrant grant)
        where T : class, IGatewayRoute => tenant.Informer<T>().ByIndex(Indexes.ByReferencedNamespace, grant.Namespace);

    /// <summary>Routes of kind <typeparamref name="T"/> that depend on a changed Route of the management cluster.</summary>
    public IEnumerable<ResourceKey> RoutesOf<T>(Change<Route> change, string kind)
        where T : class, IGatewayRoute
    {
        var origins = change.Both().Select(RouteOrigin.Of).OfType<RouteOrigin>().Distinct().ToList();
        var own = origins.Where(o => o.Kind == kind).Select(o => new ResourceKey(o.Namespace, o.Name));

        // A route depends on the Route of its Gateway: it is written after that Route, and its status refers to the Gateway's generated
        // name.
        var renamed =
            change.Old is null || change.New is null || GeneratedName(change.Old) != GeneratedName(change.New)
                ? origins
                    .Where(o => o.Kind == Gateway.KindName)
                    .SelectMany(o => tenant.Informer<T>().ByIndex(Indexes.ByParentGateway, Indexes.Key(o.Namespace, o.Name)))
                    .Select(r => ResourceKey.Of(r))
                : [];
        return own.Concat(renamed);
    }

    /// <summary>Services of the grant's namespace that routes of other namespaces refer to.</summary>
    public IEnumerable<ResourceKey> ServicesOf<T>(ReferenceGrant grant)
        where T : class, IGatewayRoute =>
        RoutesOf<T>(grant).SelectMany(r => ServicesOf(r)).Where(s => s.Namespace == grant.Namespace).Distinct();

    /// <summary>Secrets of Gateways whose class was created, deleted, accepted, or assigned to another controller.</summary>
    public IEnumerable<ResourceKey> SecretsOf(Change<GatewayClass> change) =>
        GatewaysOf(change).Select(_gateways.Get).OfType<Gateway>().SelectMany(SecretsOf).Distinct();

    /// <summary>Secrets of a Gateway whose Route was deleted, since KubeLB may no longer serve the Gateway.</summary>
    public IEnumerable<ResourceKey> SecretsOf(Change<Route> change) =>
        change is { Old: { } old, New: null }
        && RouteOrigin.Of(old) is { Kind: Gateway.KindName } origin
        && _gateways.Get(origin.Namespace, origin.Name) is { } gateway
            ? SecretsOf(gateway)
            : [];

    /// <summary>Secrets of the grant's namespace that Gateways of other namespaces refer to.</summary>
    public IEnumerable<ResourceKey> SecretsOf(ReferenceGrant grant) =>
        ReferringGateways(grant).SelectMany(SecretsOf).Where(s => s.Namespace == grant.Namespace).Distinct();

    /// <summary>Secrets that the listeners of a Gateway refer to, or referred to before the change.</summary>
    public static IEnumerable<ResourceKey> SecretsOf(Change<Gateway> change) =>
        IsStatusOnly(change) ? [] : change.Both().SelectMany(SecretsOf).Distinct();

    /// <summary>The Service itself and, for a node-port Service, the Service that it belongs to.</summary>
    public static IEnumerable<ResourceKey> ServiceKeys(V1Service service)
    {
        yield return ResourceKey.Of(service);
        if (NodePortService.Origin(service) is var (@namespace, name))
        {
            yield return new ResourceKey(@namespace, name);
        }
    }

    /// <summary>
    /// The Service that an EndpointSlice, or the original of a mirrored one, belongs to; none if Kubernetes created it for a selector.
    /// </summary>
    public static IEnumerable<ResourceKey> ServiceKeys(V1EndpointSlice slice) =>
        !MirroredEndpointSlices.IsOfSelector(slice) && MirroredEndpointSlices.OriginOf(slice) is { } service
            ? [new ResourceKey(slice.Namespace(), service)]
            : [];

    /// <summary>The Services that a route refers to.</summary>
    public static IEnumerable<ResourceKey> ServicesOf(IGatewayRoute route) =>
        BackendReferences.ServicesOf(route).Select(s => new ResourceKey(s.Namespace, s.Name));

    private IEnumerable<ResourceKey> GatewaysOf(GatewayClass gatewayClass) =>
        _gateways.ByIndex(Indexes.ByGatewayClass, gatewayClass.Name).Select(g => ResourceKey.Of(g));

    private IEnumerable<T> RoutesOf<T>(Gateway gateway)
        where T : class, IGatewayRoute =>
        tenant.Informer<T>().ByIndex(Indexes.ByParentGateway, Indexes.Key(gateway.Namespace, gateway.Name));

    private IEnumerable<T> RoutesOf<T>(GatewayClass gatewayClass)
        where T : class, IGatewayRoute => _gateways.ByIndex(Indexes.ByGatewayClass, gatewayClass.Name).SelectMany(RoutesOf<T>);

    private IReadOnlyList<Gateway> ReferringGateways(ReferenceGrant grant) =>
        _gateways.ByIndex(Indexes.ByReferencedNamespace, grant.Namespace);

    private static IEnumerable<ResourceKey> SecretsOf(Gateway gateway) =>
        ListenerCertificates.SecretsOf(gateway).Select(s => new ResourceKey(s.Namespace, s.Name));

    private static string? GeneratedName(Route? route) => route?.Status?.Resources?.Route?.GeneratedName;

    // The generation changes with the spec only; the start of a deletion and a recreation also affect dependents.
    private static bool IsStatusOnly<T>(Change<T> change)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        change is { Old: { } old, New: { } now }
        && old.Metadata.Uid == now.Metadata.Uid
        && old.Metadata.Generation == now.Metadata.Generation
        && old.Metadata.DeletionTimestamp == now.Metadata.DeletionTimestamp;

    private static bool IsWithoutEffect(Change<GatewayClass> change) =>
        IsStatusOnly(change) && GatewayOwnership.IsEquivalent(change.Old!, change.New!);

    private static bool SameLabels(V1Namespace? left, V1Namespace? right) =>
        left is not null
        && right is not null
        && KubernetesJson.Serialize(left.Metadata.Labels ?? new Dictionary<string, string>())
            == KubernetesJson.Serialize(right.Metadata.Labels ?? new Dictionary<string, string>());
}
