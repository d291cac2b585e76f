using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Attachment;

/// <summary>A tenant's cluster that holds what a test puts into it.</summary>
internal sealed class TenantStub : ITenantView
{
    public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public List<GatewayClass> Classes { get; } = [];

    public List<Gateway> Gateways { get; } = [];

    public Dictionary<string, Dictionary<string, string>> Namespaces { get; } = [];

    public GatewayClass? GatewayClass(string name) => Classes.Find(c => c.Name == name);

    public IEnumerable<GatewayClass> GatewayClasses() => Classes;

    public IEnumerable<Gateway> GatewaysNamed(string name) => Gateways.Where(g => g.Name == name);

    public IEnumerable<Gateway> GatewaysIn(string @namespace) => Gateways.Where(g => g.Namespace == @namespace);

    public Gateway? Gateway(string @namespace, string name) => Gateways.Find(g => g.Namespace == @namespace && g.Name == name);

    public IReadOnlyDictionary<string, string>? NamespaceLabels(string @namespace) => Namespaces.GetValueOrDefault(@namespace);

    public Func<string, string, V1Service?> Services { get; set; } = (_, _) => null;

    public V1Service? Service(string @namespace, string name) => Services(@namespace, name);

    public List<V1EndpointSlice> Slices { get; } = [];

    public IEnumerable<V1EndpointSlice> EndpointSlices(string @namespace, string service) =>
        Slices.Where(s => s.Namespace() == @namespace && MirroredEndpointSlices.ServiceOf(s) == service);

    public Dictionary<(string Namespace, string Name), string> NodePortServiceErrors { get; } = [];

    public string? NodePortServiceError(string @namespace, string name) => NodePortServiceErrors.GetValueOrDefault((@namespace, name));

    public List<V1Secret> Secrets { get; } = [];

    public List<ReferenceGrant> Grants { get; } = [];

    public V1Secret? Secret(string @namespace, string name) => Secrets.Find(s => s.Namespace() == @namespace && s.Name() == name);

    public IEnumerable<ReferenceGrant> ReferenceGrants(string @namespace) => Grants.Where(g => g.Namespace == @namespace);

    public List<Route> Routes { get; } = [];

    public string? OriginOf(string generatedName) => null;

    public Route? GatewayRoute(string @namespace, string name) =>
        Routes.Find(r => RouteOrigin.Of(r)?.Key == RouteOrigin.KeyOf(Api.GatewayApi.Gateway.KindName, @namespace, name));
}
