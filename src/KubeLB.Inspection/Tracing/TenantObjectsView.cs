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
    /// <summary>Why look-ups have failed. What was judged meanwhile may be wrong.</summary>
    public List<string> Unreadable { get; } = [];

    public DateTimeOffset Now => now;

    public GatewayClass? GatewayClass(string name) => Read(tenant.Get<GatewayClass>("", name));

    public IEnumerable<GatewayClass> GatewayClasses() => Read(tenant.List<GatewayClass>());

    public IEnumerable<Gateway> GatewaysNamed(string name) => Read(tenant.List<Gateway>()).Where(g => g.Name == name);

    public IEnumerable<Gateway> GatewaysIn(string @namespace) => Read(tenant.List<Gateway>(@namespace));

    public Gateway? Gateway(string @namespace, string name) => Read(tenant.Get<Gateway>(@namespace, name));

    public IReadOnlyDictionary<string, string>? NamespaceLabels(string @namespace) =>
        Read(tenant.Get<V1Namespace>("", @namespace)) is { } found
            ? new Dictionary<string, string>(found.Metadata.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal)
            : null;

    public V1Service? Service(string @namespace, string name) => Read(tenant.Get<V1Service>(@namespace, name));

    public IEnumerable<V1EndpointSlice> EndpointSlices(string @namespace, string service) =>
        Read(tenant.List<V1EndpointSlice>(@namespace, $"{MirroredEndpointSlices.ServiceNameLabel}={service}"));

    // Known to the CCM only; it reports the error in the route's conditions.
    public string? NodePortServiceError(string @namespace, string name) => null;

    // Users who trace routes need no permission to read Secrets; the CCM reports problems of certificates.
    public V1Secret? Secret(string @namespace, string name) => null;

    public IEnumerable<ReferenceGrant> ReferenceGrants(string @namespace) => Read(tenant.List<ReferenceGrant>(@namespace));

    public string? OriginOf(string generatedName) => null;

    public Route? GatewayRoute(string @namespace, string name) => gatewayRoute(@namespace, name);

    private T? Read<T>(Seen<T> seen)
        where T : class
    {
        Note(seen.Unreadable);
        return seen.Value;
    }

    private IReadOnlyList<T> Read<T>(SeenList<T> seen)
        where T : class
    {
        Note(seen.Unreadable);
        return seen.Items;
    }

    private void Note(string? unreadable)
    {
        if (unreadable is not null)
        {
            Unreadable.Add(unreadable);
        }
    }
}
