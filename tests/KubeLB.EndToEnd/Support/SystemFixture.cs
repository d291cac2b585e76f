using System.Net.Http.Json;
using System.Text.Json;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EmbeddedCluster;
using KubeLB.Sandbox.Composition;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd.Support;

/// <summary>The implementation of the tenants' proxies in a test.</summary>
public enum ProxyKind
{
    /// <summary>The sandbox's stand-in.</summary>
    StandIn,

    /// <summary>Real Envoy processes, one per tenant. Without the binary the test is skipped.</summary>
    Envoy,
}

/// <summary>A complete installation for a test: the sandbox with helper methods.</summary>
public sealed class SystemFixture : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private readonly SandboxEnvironment _sandbox;
    private readonly HttpClient _http;

    private readonly IReadOnlyList<ITestCluster> _clusters;
    private readonly List<TenantWords> _words;

    private SystemFixture(SandboxEnvironment sandbox)
    {
        _sandbox = sandbox;
        _clusters = [.. sandbox.Tenants.Select(t => t.Cluster).Append(sandbox.Management).Cast<ITestCluster>()];
        _http = new HttpClient(sandbox.CreateGatewayHandler()) { Timeout = TimeSpan.FromSeconds(10) };
        Management = new TestCluster(sandbox.Management.CreateClient("test"));
        Tenants = [.. sandbox.Tenants.Select(t => new TestCluster(t.Cluster.CreateClient("test")))];
        _words = [.. sandbox.Tenants.Select(t => new TenantWords(t.Cluster.CreateClient("test")))];
    }

    public TestCluster Management { get; }

    public IReadOnlyList<TestCluster> Tenants { get; }

    /// <summary>The first tenant.</summary>
    public TestCluster Tenant => Tenants[0];

    /// <summary>Optional features of the clusters.</summary>
    public ClusterFeatures Features => _clusters[0].Features;

    public SandboxEnvironment Sandbox => _sandbox;

    /// <summary>Waits until the manager and all CCMs are idle.</summary>
    public Task WaitUntilIdleAsync() =>
        ReconcileCounts.WaitUntilIdleAsync(() => _sandbox.Tenants.Select(t => t.Ccm.Host).Append(_sandbox.Manager.Host).OfType<IHost>());

    /// <summary>Starts and waits until the tenants are set up, unless the controllers are not started.</summary>
    public static async Task<SystemFixture> StartAsync(
        int tenants = 1,
        Func<SandboxOptions, SandboxOptions>? configure = null,
        ProxyKind proxies = ProxyKind.StandIn
    )
    {
        var envoy = proxies == ProxyKind.Envoy ? EnvoyBinary.Require() : null;
        var options = new SandboxOptions
        {
            Tenants = tenants,
            StartCluster = StartClusterAsync,
            Envoy = envoy,
        };
        options = configure?.Invoke(options) ?? options;
        var fixture = new SystemFixture(await SandboxEnvironment.StartAsync(options));
        if (!options.StartControllers)
        {
            return fixture;
        }

        if (envoy is not null)
        {
            // One replica is enough for a test, and draining is short.
            await fixture.ConfigureProxiesAsync("""{"replicas":1,"gracefulShutdown":{"minDrainDuration":"2s","drainTimeout":"10s"}}""");
        }

        foreach (var tenant in fixture._sandbox.Tenants)
        {
            await fixture.Management.WaitAsync<Tenant>("", tenant.Name, t => t.Status?.Phase == TenantPhases.Ready, "is ready");
            await fixture.Management.WaitAsync<Addresses>(
                tenant.Namespace,
                Addresses.DefaultName,
                a => a.Spec?.Addresses is { Count: > 0 },
                "names the node"
            );
        }

        return fixture;
    }

    /// <summary>Changes <c>spec.envoyProxy</c> of the Config, by a merge patch.</summary>
    public Task ConfigureProxiesAsync(string envoyProxy) =>
        Management.PatchAsync<Config>("kubelb", Config.DefaultName, $"{{\"spec\":{{\"envoyProxy\":{envoyProxy}}}}}");

    /// <summary>Applies the documentation's first example and waits until it is served.</summary>
    public async Task ApplyBasicExampleAsync(int tenant = 0)
    {
        foreach (var manifest in new[] { Documents.Gateway, Documents.Backend, Documents.Deployment, Documents.Route })
        {
            await Tenants[tenant].ApplyAsync(manifest);
        }

        await Tenants[tenant].WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        await Tenants[tenant]
            .WaitAsync<HttpRoute>(
                "default",
                "api-route",
                r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
                "is accepted and resolved"
            );
        await ExpectBackendAsync("api.example.com", tenant);
    }

    /// <summary>The address that the tenant reads in its Gateway's status.</summary>
    public async Task<string> AddressAsync(int tenant = 0)
    {
        var gateway = await Tenants[tenant].WaitAsync<Gateway>("default", "my-gateway", Statuses.IsProgrammed, "is programmed");
        return gateway.Status!.Addresses![0].Value!;
    }

    /// <summary>Sends requests like a client until a pod of the tenant responds, and returns its echo.</summary>
    public async Task<Echo> ExpectBackendAsync(string host, int tenant = 0, string path = "/") =>
        await ExpectBackendAtAsync(await AddressAsync(tenant), host, path);

    /// <summary>The same at an address.</summary>
    public async Task<Echo> ExpectBackendAtAsync(string address, string host, string path = "/")
    {
        var answer = await Eventually.GetAsync(
            $"a request for {host} to {address} is answered by a pod",
            () => SendAsync(address, host, path),
            a => a.Status == 200
        );
        return answer.Echo!;
    }

    /// <summary>Sends requests like a client until one is answered with the status.</summary>
    public Task ExpectStatusAsync(string address, string host, int status, string path = "/") =>
        Eventually.GetAsync(
            $"a request for {host}{path} to {address} is answered with {status}",
            () => SendAsync(address, host, path),
            a => a.Status == status
        );

    /// <summary>All objects by kind, namespace, name and finalizers: a clean-up must restore this list.</summary>
    public async Task<IReadOnlyList<string>> InventoryAsync()
    {
        var found = new List<string>();
        foreach (var (cluster, name) in Tenants.Select((t, i) => (t, $"t{i + 1}")).Append((Management, "management")))
        {
            found.AddRange((await cluster.ListAsync<V1Service>()).Select(o => Describe(name, o)));
            found.AddRange((await cluster.ListAsync<Gateway>()).Select(o => Describe(name, o)));
            found.AddRange((await cluster.ListAsync<HttpRoute>()).Select(o => Describe(name, o)));
            found.AddRange((await cluster.ListAsync<GrpcRoute>()).Select(o => Describe(name, o)));
        }

        found.AddRange((await Management.ListAsync<Route>()).Select(o => Describe("management", o)));
        return [.. found.Order(StringComparer.Ordinal)];
    }

    public Task WaitForInventoryAsync(IReadOnlyList<string> expected) =>
        Eventually.GetAsync(
            "nothing is left behind",
            InventoryAsync,
            found => found.SequenceEqual(expected),
            found => string.Join("\n", found.Except(expected))
        );

    /// <summary>The requests that the API servers got; where they are not embedded, those of kubectl are missing.</summary>
    public IReadOnlyList<RequestRecord> Requests() => [.. _clusters.SelectMany(c => c.Requests())];

    /// <summary>The writes of the CCMs and the manager, Events and Leases left out.</summary>
    public IReadOnlyList<RequestRecord> Writes() =>
        [
            .. Requests()
                .Where(r =>
                    r.IsWrite && r.UserAgent.StartsWith("kubelb-", StringComparison.Ordinal) && r.Resource is not ("events" or "leases")
                ),
        ];

    /// <summary>
    /// The writes of the first tenant's CCM in its own cluster and in the management cluster, Events and Leases left out.
    /// </summary>
    public (IReadOnlyList<string> Tenant, IReadOnlyList<string> Management) CcmWrites() =>
        (CcmWrites(_clusters[0]), CcmWrites(_clusters[^1]));

    public void ForgetRequests()
    {
        foreach (var cluster in _clusters)
        {
            cluster.ForgetRequests();
        }
    }

    /// <summary>Waits until there was no request for a while: all work in progress is done.</summary>
    public async Task SettleAsync()
    {
        const int QuietRounds = 20;
        var quiet = 0;
        var last = -1;
        await Eventually.HoldsAsync(
            () =>
            {
                var now = Requests().Count(r => r.Verb != "watch" && r.Resource != "leases");
                quiet = now == last ? quiet + 1 : 0;
                last = now;
                return Task.FromResult(quiet >= QuietRounds);
            },
            "the clusters are idle"
        );
    }

    public Task StopCcmAsync() => _sandbox.Tenants[0].Ccm.StopAsync();

    public Task StartCcmAsync() => _sandbox.Tenants[0].Ccm.StartAsync();

    public Task RestartCcmAsync() => _sandbox.Tenants[0].Ccm.RestartAsync();

    public Task StopManagerAsync() => _sandbox.Manager.StopAsync();

    public Task StartManagerAsync() => _sandbox.Manager.StartAsync();

    public Task RestartManagerAsync() => _sandbox.Manager.RestartAsync();

    public async ValueTask DisposeAsync()
    {
        var forbidden = Requests().Where(IsForbidden).Select(r => $"{r.UserAgent}: {r.Method} {r.Path}").Distinct().ToList();
        var foreign = new List<string>();
        foreach (var words in _words)
        {
            foreign.AddRange(await words.StopAsync());
        }

        _http.Dispose();
        foreach (var tenant in Tenants)
        {
            await tenant.DisposeAsync();
        }

        await Management.DisposeAsync();
        await _sandbox.DisposeAsync();
        foreign.Should().BeEmpty("a tenant reads the names of its own objects only");
        forbidden.Should().BeEmpty("the roles of the charts must permit all requests of manager and CCMs");
    }

    // Permissions of the charts; those of a CCM in the management cluster are its Tenant's, which tests revoke on purpose.
    private static bool IsForbidden(RequestRecord request) =>
        request.StatusCode == 403 && request.User.StartsWith("system:serviceaccount:kubelb:", StringComparison.Ordinal);

    private static List<string> CcmWrites(ITestCluster cluster) =>
        [
            .. cluster
                .Requests()
                .Where(r =>
                    r.IsWrite && r.UserAgent.StartsWith("kubelb-ccm", StringComparison.Ordinal) && r.Resource is not ("events" or "leases")
                )
                .Select(r => $"{r.Verb} {r.Resource}/{r.Name} {r.Subresource}".TrimEnd()),
        ];

    private static async Task<ISandboxCluster> StartClusterAsync(ClusterRequest request, CancellationToken cancellationToken) =>
        await TestClusters.TestClusters.StartAsync(request, cancellationToken);

    private static string Describe(string cluster, k8s.IKubernetesObject<V1ObjectMeta> value) =>
        $"{cluster} {value.GetType().Name} {value.Metadata.NamespaceProperty}/{value.Metadata.Name} "
        + $"[{string.Join(",", value.Metadata.Finalizers ?? [])}]";

    private async Task<Answer> SendAsync(string address, string host, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}{path}");
        request.Headers.Host = host;
        try
        {
            using var response = await _http.SendAsync(request);
            return new Answer(
                (int)response.StatusCode,
                response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<Echo>(Json) : null,
                response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync()
            );
        }
        catch (HttpRequestException e)
        {
            return new Answer(0, null, e.Message);
        }
    }

    private sealed record Answer(int Status, Echo? Echo, string Error);
}

/// <summary>What a pod saw of a request.</summary>
public sealed record Echo(string Method, string Path, string Host, string Pod, string Namespace, string Node);
