using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;

namespace KubeLB.Inspection.Tracing;

/// <summary>
/// Lets the functions of the CCM judge the objects that a user may read, so that a trace has the same result and the same words as the
/// conditions, also while no CCM runs.
/// </summary>
internal sealed class TenantObjectsView(IObjects tenant, Func<string, string, Route?> gatewayRoute, DateTimeOffset now) : ITenantView
{
    public DateTimeOffset Now => now;

    public GatewayClass? GatewayClass(string name) => tenant.Get<GatewayClass>("", name).Value;

    public IEnumerable<GatewayClass> GatewayClasses() => tenant.List<GatewayClass>().Items;

    public IEnumerable<Gateway> GatewaysNamed(string name) => tenant.List<Gateway>().Items.Where(g => g.Name == name);

    public IEnumerable<Gateway> GatewaysIn(string @namespace) => tenant.List<Gateway>(@namespace).Items;

    public Gateway? Gateway(string @namespace, string name) => tenant.Get<Gateway>(@namespace, name).Value;

    public IReadOnlyDictionary<string, string>? NamespaceLabels(string @namespace) =>
        tenant.Get<V1Namespace>("", @namespace).Value is { } found
            ? new Dictionary<string, string>(found.Metadata.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal)
            : null;

    public V1Service? Service(string @namespace, string name) => tenant.Get<V1Service>(@namespace, name).Value;

    public IEnumerable<V1EndpointSlice> EndpointSlices(string @namespace, string service) =>
        tenant.List<V1EndpointSlice>(@namespace, $"{MirroredEndpointSlices.ServiceNameLabel}={service}").Items;

    // Known to the CCM only; it reports the error in the route's conditions.
    public string? NodePortServiceError(string @namespace, string name) => null;

    // Users who trace routes need no permission to read Secrets; the CCM reports problems of certificates.
    public V1Secret? Secret(string @namespace, string name) => null;

    public IEnumerable<ReferenceGrant> ReferenceGrants(string @namespace) => tenant.List<ReferenceGrant>(@namespace).Items;

    public string? OriginOf(string generatedName) => null;

    public Route? GatewayRoute(string @namespace, string name) => gatewayRoute(@namespace, name);
}
