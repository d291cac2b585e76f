using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.NodePorts;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Ccm.Caching;

/// <summary>Gives the translation access to the caches of both clusters.</summary>
internal sealed class TenantView(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    NodePortServiceErrors nodePortServiceErrors,
    TimeProvider time
) : ITenantView
{
    private readonly IInformer<GatewayClass> _classes = tenant.Informer<GatewayClass>();
    private readonly IInformer<Gateway> _gateways = tenant.Informer<Gateway>();
    private readonly IInformer<V1Namespace> _namespaces = tenant.Informer<V1Namespace>();
    private readonly IInformer<V1Service> _services = tenant.Informer<V1Service>();
    private readonly IInformer<V1EndpointSlice> _slices = tenant.Informer<V1EndpointSlice>();
    private readonly IInformer<V1Secret> _secrets = tenant.Informer<V1Secret>();
    private readonly IInformer<ReferenceGrant> _grants = tenant.Informer<ReferenceGrant>();
    private readonly IInformer<Route> _routes = management.Informer<Route>();

    public DateTimeOffset Now => time.GetUtcNow();

    public GatewayClass? GatewayClass(string name) => _classes.Get("", name);

    public IEnumerable<GatewayClass> GatewayClasses() => _classes.List();

    public IEnumerable<Gateway> GatewaysNamed(string name) => _gateways.ByIndex(Indexes.ByName, name);

    public IEnumerable<Gateway> GatewaysIn(string @namespace) => _gateways.ByIndex(Indexes.ByNamespace, @namespace);

    public Gateway? Gateway(string @namespace, string name) => _gateways.Get(@namespace, name);

    public IReadOnlyDictionary<string, string>? NamespaceLabels(string @namespace) =>
        _namespaces.Get("", @namespace) is { } found
            ? new Dictionary<string, string>(found.Metadata.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal)
            : null;

    public V1Service? Service(string @namespace, string name) => _services.Get(@namespace, name);

    public IEnumerable<V1EndpointSlice> EndpointSlices(string @namespace, string service) =>
        _slices.ByIndex(Indexes.ByService, Indexes.Key(@namespace, service));

    public string? NodePortServiceError(string @namespace, string name) => nodePortServiceErrors.Of(new ResourceKey(@namespace, name));

    public V1Secret? Secret(string @namespace, string name) => _secrets.Get(@namespace, name);

    public IEnumerable<ReferenceGrant> ReferenceGrants(string @namespace) => _grants.ByIndex(Indexes.ByNamespace, @namespace);

    public string? OriginOf(string generatedName) =>
        _routes
            .ByIndex(Indexes.ByGeneratedName, generatedName)
            .SelectMany(route => Indexes.GeneratedObjects(route))
            .FirstOrDefault(generated => generated.GeneratedName == generatedName)
            is { } found
            ? Indexes.Key(found.Namespace ?? "", found.Name ?? "")
            : null;

    public Route? GatewayRoute(string @namespace, string name) =>
        Gateway(@namespace, name) is { } gateway
            ? _routes
                .ByIndex(Indexes.ByOrigin, RouteOrigin.KeyOf(gateway.Kind, @namespace, name))
                .FirstOrDefault(r => r.Name == gateway.Metadata.Uid)
            : null;
}
