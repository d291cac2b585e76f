using System.Net;
using System.Security.Cryptography.X509Certificates;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.EnvoyGateway;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;

namespace KubeLB.Sandbox.Tests.EnvoyGateway.Forwarding;

/// <summary>The data plane of the stand-in without a cluster, with echo backends.</summary>
internal sealed class GatewayFixture : IAsyncDisposable, IClusterView, IBackendDirectory
{
    private static readonly ResourceKey Key = new("default", "gw");

    private readonly Dictionary<string, IPEndPoint?> _services = [];
    private readonly Dictionary<string, IReadOnlyList<IPEndPoint>> _several = [];
    private readonly Dictionary<string, X509Certificate2> _certificates = [];
    private readonly LoopbackAddresses _addresses = new();
    private readonly BackendForwarder _forwarder = new();
    private HttpServer _httpServer = null!;
    private EchoBackends _backends = null!;
    private GatewaySockets _gateways = null!;

    public static async Task<GatewayFixture> StartAsync()
    {
        var fixture = new GatewayFixture();
        fixture._httpServer = await HttpServer.StartAsync(new GatewayRequestHandler(fixture, fixture._forwarder).HandleAsync);
        fixture._backends = await EchoBackends.StartAsync(fixture._addresses);
        fixture._gateways = new GatewaySockets(fixture._httpServer, fixture._addresses);
        return fixture;
    }

    public async Task<IPEndPoint> AddPodAsync(string service)
    {
        var pod = new EchoPod("tenant", "default", service + "-pod", "node", _addresses.Take());
        await _backends.ListenAsync(pod, 8080);
        var endPoint = _backends.Resolve(pod.Address, 8080, $"default/{pod.Name}")!;
        _services[service] = endPoint;
        return endPoint;
    }

    public void AddService(string service, IPEndPoint? endPoint) => _services[service] = endPoint;

    public void AddCertificate(string secret, X509Certificate2 certificate) => _certificates[secret] = certificate;

    /// <summary>Adds a Service with several endpoints.</summary>
    public void AddEndPoints(string service, params IReadOnlyList<IPEndPoint> endPoints) => _several[service] = endPoints;

    public async Task ServeAsync(string listeners, string routes, RetryRule? retry = null)
    {
        var gateway = KubernetesJson.Deserialize<Gateway>(
            ManifestYaml.Read($"metadata: {{name: gw, namespace: default}}\nspec:\n  listeners: {listeners}")[0].ToJsonString()
        );
        var evaluation = GatewayEvaluator.Evaluate(gateway, this);
        var evaluations = ManifestYaml
            .Read(routes)
            .Select(r => KubernetesJson.Deserialize<HttpRoute>(r.ToJsonString()))
            .Select(r => RouteEvaluator.Evaluate(r, HttpRoute.KindName, key => key == Key ? evaluation : null, this))
            .Select(v => v with { Rules = [.. v.Rules.Select(r => r with { Action = r.Action with { Retry = r.Action.Retry ?? retry } })] })
            .ToList();
        evaluations.SelectMany(v => v.Parents).Should().OnlyContain(p => p.IsAccepted);
        await _gateways.ApplyAsync(Key, GatewayPlan.Of(evaluation, evaluations, secret => _certificates.GetValueOrDefault(secret.Name)));
    }

    public IPEndPoint At(int port) => _gateways.Resolve(Key, port) ?? throw new InvalidOperationException($"Port {port} is not served.");

    public bool IsServed(int port) => _gateways.Resolve(Key, port) is not null;

    public TlsSecret Secret(string ns, string name) => _certificates.ContainsKey(name) ? TlsSecret.Valid : TlsSecret.Missing;

    public V1Service? Service(string ns, string name) =>
        _services.ContainsKey(name) || _several.ContainsKey(name)
            ? new V1Service { Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = 80 }] } }
            : null;

    public bool HasEndpoints(string ns, string name) => true;

    public IDictionary<string, string> NamespaceLabels(string ns) => new Dictionary<string, string>();

    public IEnumerable<ReferenceGrant> Grants(string ns) => [];

    public BackendLocation Find(BackendTarget backend) =>
        _several.TryGetValue(backend.Service, out var endPoints) ? new BackendLocation(true, endPoints, false)
        : _services.TryGetValue(backend.Service, out var endPoint) ? new BackendLocation(true, endPoint is null ? [] : [endPoint], false)
        : BackendLocation.Missing;

    public async ValueTask DisposeAsync()
    {
        await _gateways.DisposeAsync();
        await _httpServer.DisposeAsync();
        await _backends.DisposeAsync();
        _forwarder.Dispose();
        _addresses.Dispose();
    }
}
