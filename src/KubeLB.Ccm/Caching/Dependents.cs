using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Caching;

/// <summary>Which keys a change concerns: the constant-work answer to "what depends on this object?".</summary>
internal sealed class Dependents([FromKeyedServices(ClusterNames.Tenant)] Cluster tenant)
{
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();

    /// <summary>Gateways of a class that came, went, got another controller or was accepted by one.</summary>
    public IEnumerable<ResourceKey> GatewaysOf(Change<GatewayClass> change) =>
        IsWithoutEffect(change) ? [] : change.Both().SelectMany(GatewaysOf).Distinct();

    /// <summary>
    /// All Gateways once there are Addresses in the tenant's namespace: then the management cluster takes what it refused before.
    /// </summary>
    public IEnumerable<ResourceKey> GatewaysOf(Change<Addresses> change) =>
        change is { Old: null, New: not null } ? _gateways.List().Select(g => ResourceKey.Of(g)) : [];

    /// <summary>Routes whose parentRefs name a Gateway whose spec changed. Its status, which counts them, is none of theirs, but for
    /// whether the management cluster refuses the Gateway.</summary>
    public IEnumerable<T> RoutesOf<T>(Change<Gateway> change)
        where T : class, IGatewayRoute =>
        IsOfStatusOnly(change) && GatewayStatusTranslator.RejectionOf(change.Old!) == GatewayStatusTranslator.RejectionOf(change.New!)
            ? []
            : RoutesOf<T>((change.New ?? change.Old)!);

    /// <summary>Routes whose Gateways are of a class that came, went, got another controller or was accepted by one.</summary>
    public IEnumerable<T> RoutesOf<T>(Change<GatewayClass> change)
        where T : class, IGatewayRoute => IsWithoutEffect(change) ? [] : RoutesOf<T>((change.New ?? change.Old)!);

    /// <summary>Gateways of a class.</summary>
    private IEnumerable<ResourceKey> GatewaysOf(GatewayClass gatewayClass) =>
        _gateways.ByIndex(Indexes.ByGatewayClass, gatewayClass.Name).Select(g => ResourceKey.Of(g));

    /// <summary>Routes of kind <typeparamref name="T"/> whose parentRefs name the Gateway.</summary>
    private IEnumerable<T> RoutesOf<T>(Gateway gateway)
        where T : class, IGatewayRoute =>
        tenant.Informer<T>().ByIndex(Indexes.ByParentGateway, Indexes.Key(gateway.Namespace, gateway.Name));

    /// <summary>Routes whose Gateways are of the class.</summary>
    private IEnumerable<T> RoutesOf<T>(GatewayClass gatewayClass)
        where T : class, IGatewayRoute => _gateways.ByIndex(Indexes.ByGatewayClass, gatewayClass.Name).SelectMany(RoutesOf<T>);

    /// <summary>Routes of a Namespace whose labels changed.</summary>
    public IEnumerable<T> RoutesOf<T>(Change<V1Namespace> change)
        where T : class, IGatewayRoute =>
        SameLabels(change.Old, change.New) ? [] : tenant.Informer<T>().ByIndex(Indexes.ByNamespace, change.Key.Name);

    /// <summary>Routes that refer to the Service, or to the one that it is the twin of.</summary>
    public IEnumerable<T> RoutesOf<T>(V1Service service)
        where T : class, IGatewayRoute =>
        ServiceKeys(service)
            .SelectMany(key => tenant.Informer<T>().ByIndex(Indexes.ByBackendService, Indexes.Key(key.Namespace, key.Name)));

    /// <summary>Routes of kind <typeparamref name="T"/> that a changed Route of the management cluster concerns.</summary>
    public IEnumerable<ResourceKey> RoutesOf<T>(Change<Route> change, string kind)
        where T : class, IGatewayRoute
    {
        var origins = change.Both().Select(RouteOrigin.Of).OfType<RouteOrigin>().Distinct().ToList();
        var own = origins.Where(o => o.Kind == kind).Select(o => new ResourceKey(o.Namespace, o.Name));

        // A route is carried after its Gateway and released with it, and its status is read by the Gateway's generated name.
        var renamed =
            change.Old is null || change.New is null || GeneratedName(change.Old) != GeneratedName(change.New)
                ? origins
                    .Where(o => o.Kind == Gateway.KindName)
                    .SelectMany(o => tenant.Informer<T>().ByIndex(Indexes.ByParentGateway, Indexes.Key(o.Namespace, o.Name)))
                    .Select(r => ResourceKey.Of(r))
                : [];
        return own.Concat(renamed);
    }

    /// <summary>The Service itself, and the one that it is the twin of.</summary>
    public static IEnumerable<ResourceKey> ServiceKeys(V1Service service)
    {
        yield return ResourceKey.Of(service);
        if (NodePortService.Origin(service) is var (@namespace, name))
        {
            yield return new ResourceKey(@namespace, name);
        }
    }

    /// <summary>The Service whose EndpointSlice this is, or is the mirror of.</summary>
    public static IEnumerable<ResourceKey> ServiceKeys(V1EndpointSlice slice) =>
        MirroredEndpointSlices.OriginOf(slice) is { } service ? [new ResourceKey(slice.Namespace(), service)] : [];

    /// <summary>The Services that a route refers to.</summary>
    public static IEnumerable<ResourceKey> ServicesOf(IGatewayRoute route) =>
        BackendReferences.ServicesOf(route).Select(s => new ResourceKey(s.Namespace, s.Name));

    private static string? GeneratedName(Route? route) => route?.Status?.Resources?.Route?.GeneratedName;

    // The generation counts changes of the spec; the start of a deletion, and a new incarnation, are more than a status, too.
    public static bool IsOfStatusOnly<T>(Change<T> change)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        change is { Old: { } old, New: { } now }
        && old.Metadata.Uid == now.Metadata.Uid
        && old.Metadata.Generation == now.Metadata.Generation
        && old.Metadata.DeletionTimestamp == now.Metadata.DeletionTimestamp;

    private static bool IsWithoutEffect(Change<GatewayClass> change) =>
        IsOfStatusOnly(change) && GatewayOwnership.IsEquivalent(change.Old!, change.New!);

    private static bool SameLabels(V1Namespace? left, V1Namespace? right) =>
        left is not null
        && right is not null
        && KubernetesJson.Serialize(left.Metadata.Labels ?? new Dictionary<string, string>())
            == KubernetesJson.Serialize(right.Metadata.Labels ?? new Dictionary<string, string>());
}
