using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Ccm.Hosting;
using KubeLB.EmbeddedCluster;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Watching;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Cluster = KubeLB.EmbeddedCluster.EmbeddedCluster;

namespace KubeLB.Ccm.Tests.Support;

/// <summary>A CCM of tenant <c>t1</c> between two embedded clusters, without a manager: the test writes what the manager would.</summary>
public sealed class CcmFixture : IAsyncDisposable
{
    public const string Namespace = "tenant-t1";
    private const string Agent = "kubelb-ccm-test";

    private readonly HttpClient _http = new();
    private readonly ServiceProvider _outside;
    private IHost? _host;

    private CcmFixture(Cluster tenant, Cluster management)
    {
        TenantServer = tenant;
        ManagementServer = management;
        _outside = new ServiceCollection()
            .AddLogging()
            .AddKubeRuntime(_ => { })
            .AddCluster("tenant", _ => tenant.CreateClient("test"), _ => { })
            .AddCluster("management", _ => management.CreateClient("test"), _ => { })
            .BuildServiceProvider();
    }

    public Cluster TenantServer { get; }

    public Cluster ManagementServer { get; }

    public KubeLB.Runtime.Clusters.Cluster Tenant => _outside.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>("tenant");

    public KubeLB.Runtime.Clusters.Cluster Management => _outside.GetRequiredKeyedService<KubeLB.Runtime.Clusters.Cluster>("management");

    public CapturedLog Log { get; } = new();

    public ForwardedClock Clock { get; } = new();

    public IHost Host => _host!;

    /// <summary>
    /// Starts the clusters with all CRDs except those whose file names contain one of <paramref name="without"/>; does not start the CCM.
    /// </summary>
    public static async Task<CcmFixture> CreateAsync(bool registered = true, params string[] without)
    {
        var tenant = await Cluster.StartAsync(new EmbeddedClusterOptions { Name = "tenant", Tls = false });
        var management = await Cluster.StartAsync(new EmbeddedClusterOptions { Name = "management", Tls = false });
        var fixture = new CcmFixture(tenant, management);
        await InstallCrdsAsync(tenant, file => !without.Any(file.Contains));
        await InstallCrdsAsync(management, file => file.StartsWith("kubelb.k8c.io", StringComparison.Ordinal));
        if (registered)
        {
            await fixture.RegisterAsync();
        }

        return fixture;
    }

    public static async Task<CcmFixture> StartAsync(Func<CcmOptions, CcmOptions>? options = null)
    {
        var fixture = await CreateAsync();
        await fixture.StartCcmAsync(options);
        return fixture;
    }

    public static Task InstallCrdsAsync(Cluster cluster, Func<string, bool> which) =>
        cluster.InstallCrdsAsync(
            new[] { "deploy/crds", "tools/KubeLB.Sandbox/Crds" }
                .SelectMany(folder => Directory.GetFiles(Path.Combine(SourceTree.Root, folder), "*_*.yaml"))
                .Where(file => which(Path.GetFileName(file)))
                .Select(File.ReadAllText)
        );

    /// <summary>Creates the tenant's namespace, as the manager does for a Tenant.</summary>
    public Task RegisterAsync() =>
        Management.Client<V1Namespace>().CreateAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } }, default);

    public async Task StartCcmAsync(
        Func<CcmOptions, CcmOptions>? configure = null,
        Func<IKubernetes>? toManagement = null,
        Func<IKubernetes>? toTenant = null
    ) => _host = await StartCcmAsync(toTenant ?? (() => TenantServer.CreateClient(Agent)), Agent, Log, configure, toManagement);

    /// <summary>
    /// Starts a CCM of the same tenant in another cluster, in addition to that of this fixture; the caller disposes of it.
    /// </summary>
    public Task<IHost> StartCcmInAsync(Cluster cluster, CapturedLog log, string agent = "other-ccm") =>
        StartCcmAsync(() => cluster.CreateClient(agent), agent, log, null, null);

    public async Task StopCcmAsync()
    {
        await _host!.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        _host = null;
    }

    private async Task<IHost> StartCcmAsync(
        Func<IKubernetes> toTenant,
        string agent,
        CapturedLog log,
        Func<CcmOptions, CcmOptions>? configure,
        Func<IKubernetes>? toManagement
    )
    {
        var options = new CcmOptions
        {
            ClusterName = "t1",
            EnableGatewayApi = true,
            EnableLeaderElection = false,
            NodeAddressType = "InternalIP",
            DrainingNodePorts = TimeSpan.FromMilliseconds(200),
            MetricsAddress = "127.0.0.1:0",
            HealthProbeBindAddress = "127.0.0.1:0",
        };
        var host = CcmHost.Build(
            configure?.Invoke(options) ?? options,
            new CcmConnections(toTenant, toManagement ?? (() => ManagementServer.CreateClient(agent))),
            services =>
            {
                services.AddLogging(logging => logging.ClearProviders().AddProvider(log));
                services.AddSingleton<TimeProvider>(Clock);
                services.AddSingleton(
                    new ReflectorSettings { BackoffBase = TimeSpan.FromMilliseconds(5), BackoffCap = TimeSpan.FromMilliseconds(50) }
                );
            }
        );
        await host.StartAsync();
        return host;
    }

    /// <summary>Disconnects the CCM from the management cluster until the result is disposed.</summary>
    public IDisposable CutOffManagement() => ManagementServer.Faults.Partition(IsOfCcm);

    /// <summary>
    /// Responds to every request of the CCM to the management cluster with this status until the result is disposed, and ends watches.
    /// </summary>
    public IDisposable AnswerManagementWith(int statusCode)
    {
        var rule = ManagementServer.Faults.Add(
            new EmbeddedCluster.Faults.FaultRule
            {
                Matches = IsOfCcm,
                Times = null,
                StatusCode = statusCode,
            }
        );
        ManagementServer.Faults.ExpireWatches();
        return rule;
    }

    public static bool IsOfCcm(RequestRecord request) => request.UserAgent == Agent;

    public Task<(bool Ready, string Text)> ReadyAsync() => ReadyAsync(Host);

    public async Task<(bool Ready, string Text)> ReadyAsync(IHost host)
    {
        using var response = await _http.GetAsync($"http://{host.Services.GetRequiredService<RuntimeEndpoints>().Probe}/readyz");
        return (response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
    }

    public Task<(bool Ready, string Text)> WaitReadyAsync() =>
        Eventually.GetAsync("the CCM is ready", ReadyAsync, r => r == (true, "ok\n"));

    /// <summary>Waits until /readyz fails with exactly one line, and returns it.</summary>
    public async Task<string> WaitForProblemAsync(string part) =>
        (
            await Eventually.GetAsync(
                $"/readyz reports one problem: {part}",
                ReadyAsync,
                r => !r.Ready && r.Text.Contains(part, StringComparison.Ordinal) && r.Text.TrimEnd().Split('\n').Length == 1
            )
        ).Text.TrimEnd();

    public async Task<string> MetricsAsync() =>
        await _http.GetStringAsync($"http://{Host.Services.GetRequiredService<RuntimeEndpoints>().Metrics}/metrics");

    public static Task<T> WaitAsync<T>(
        KubeLB.Runtime.Clusters.Cluster cluster,
        string @namespace,
        string name,
        Func<T, bool> condition,
        string what
    )
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Eventually.GetAsync(
            $"{typeof(T).Name} {name} {what}",
            () => cluster.Client<T>().GetAsync(new ResourceKey(@namespace, name), default),
            o => o is not null && condition(o)
        )!;

    public Task<T> CreateAsync<T>(T value)
        where T : class, IKubernetesObject<V1ObjectMeta> => Tenant.Client<T>().CreateAsync(value, default);

    public static Task<T> PatchStatusAsync<T>(KubeLB.Runtime.Clusters.Cluster cluster, string @namespace, string name, string status)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        cluster
            .Client<T>()
            .MergePatchStatusAsync(new ResourceKey(@namespace, name), new JsonObject { ["status"] = JsonNode.Parse(status) }, default);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_host is not null)
        {
            await _host.StopAsync();
            await ((IAsyncDisposable)_host).DisposeAsync();
        }

        await _outside.DisposeAsync();
        await TenantServer.DisposeAsync();
        await ManagementServer.DisposeAsync();
    }
}
