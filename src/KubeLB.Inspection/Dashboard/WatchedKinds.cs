using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;
using KubeLB.Runtime.Hosting;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Routes;

namespace KubeLB.Inspection.Dashboard;

/// <summary>The informers of the dashboard: the kinds that a trace reads.</summary>
internal static class WatchedKinds
{
    /// <summary>Index: the objects of a namespace.</summary>
    public const string ByNamespace = "namespace";

    /// <summary>Index: the objects with a label of <see cref="SelectedLabels"/>.</summary>
    public const string ByLabel = "label";

    /// <summary>Index: the Routes of a tenant's object.</summary>
    public const string ByOrigin = "origin";

    /// <summary>Index: the Routes with a name, which is the uid of the tenant's object.</summary>
    public const string ByUid = "uid";

    /// <summary>Index: the routes of a Gateway.</summary>
    public const string ByGateway = "gateway";

    /// <summary>Labels in the selectors of traces.</summary>
    public static IReadOnlyList<string> SelectedLabels { get; } =
    [MirroredEndpointSlices.ServiceNameLabel, Labels.OriginName, Labels.AppName, "gateway.envoyproxy.io/owning-gateway-name"];

    /// <summary>Configures the informers of a tenant's cluster.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="only">The only namespace to read; null for all.</param>
    public static void AddTenant(ClusterBuilder cluster, string? only)
    {
        Add<Gateway>(cluster, only);
        Add<HttpRoute>(cluster, only, informer => informer.Index(ByGateway, GatewaysOf));
        Add<GrpcRoute>(cluster, only, informer => informer.Index(ByGateway, GatewaysOf));
        Add<GatewayClass>(cluster, null);
        Add<ReferenceGrant>(cluster, only);
        Add<V1Namespace>(cluster, null, informer => informer.FieldSelector = only is null ? null : "metadata.name=" + only);
        Add<V1Service>(cluster, only);
        Add<V1EndpointSlice>(cluster, only);
        Add<V1Deployment>(cluster, only, informer => informer.LabelSelector = CcmFlags.Selector);
    }

    /// <summary>Configures the informers of the management cluster.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="settings">With the tenant's namespace, if only this tenant is to be read.</param>
    public static void AddManagement(ClusterBuilder cluster, TraceSettings settings)
    {
        var only = settings.TenantNamespace;
        Add<Route>(
            cluster,
            only,
            informer =>
                informer
                    .Index(ByOrigin, route => RouteOrigin.Of(route) is { } origin ? [origin.Key] : [])
                    .Index(ByUid, route => [route.Name])
        );
        Add<Tenant>(
            cluster,
            null,
            informer => informer.FieldSelector = only is null ? null : "metadata.name=" + (TenantNames.TenantOf(only) ?? only)
        );
        Add<Config>(cluster, settings.ManagerNamespace);
        Add<Addresses>(cluster, only);
        Add<Gateway>(cluster, only);
        Add<HttpRoute>(cluster, only);
        Add<GrpcRoute>(cluster, only);
        Add<V1Service>(cluster, only);
        Add<V1Pod>(cluster, only, informer => informer.Transform = Readiness);
    }

    /// <summary>The key of a namespace and a label in the index <see cref="ByLabel"/>; an empty namespace for all.</summary>
    public static string LabelKey(string @namespace, string label, string value) => $"{@namespace}/{label}={value}";

    /// <summary>The key of a Gateway in the index <see cref="ByGateway"/>.</summary>
    public static string GatewayKey(string @namespace, string name) => $"{@namespace}/{name}";

    private static void Add<T>(ClusterBuilder cluster, string? @namespace, Action<InformerBuilder<T>>? configure = null)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        cluster.Informer<T>(informer =>
        {
            informer.Namespace = @namespace;
            informer.WhenAbsent = WhenAbsent.BlockNone;
            informer.MayBeForbidden = true;
            informer.Index(ByNamespace, value => [value.Metadata.NamespaceProperty ?? ""]);
            informer.Index(ByLabel, LabelKeys);
            configure?.Invoke(informer);
        });

    private static IEnumerable<string> LabelKeys<T>(T value)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var label in SelectedLabels)
        {
            if (value.Metadata.Labels?.TryGetValue(label, out var found) == true)
            {
                yield return LabelKey("", label, found);
                if (value.Metadata.NamespaceProperty is { Length: > 0 } @namespace)
                {
                    yield return LabelKey(@namespace, label, found);
                }
            }
        }
    }

    private static IEnumerable<string> GatewaysOf(IGatewayRoute route) =>
        route
            .ParentRefs.Where(p => p.RefersToGateway())
            .Select(p => GatewayKey(p.Namespace ?? route.Metadata.NamespaceProperty, p.Name))
            .Distinct(StringComparer.Ordinal);

    // Of the pods of the management cluster, only their labels and whether they are ready.
    private static V1Pod Readiness(V1Pod pod) =>
        new()
        {
            ApiVersion = pod.ApiVersion,
            Kind = pod.Kind,
            Metadata = pod.Metadata,
            Status = pod.Status is { Conditions: { } conditions } ? new V1PodStatus { Conditions = conditions } : null,
        };
}
