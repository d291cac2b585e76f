using System.Net;
using k8s;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Watching;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Tests.Fakes;

/// <summary>A host with the runtime and one cluster, "home", served by a <see cref="FakeApiServer"/>.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly HttpClient _http = new();

    private TestHost(IHost host, CapturingLoggerProvider logs)
    {
        Host = host;
        Logs = logs;
    }

    public IHost Host { get; }

    public CapturingLoggerProvider Logs { get; }

    public Cluster Cluster => Host.Services.GetRequiredKeyedService<Cluster>("home");

    public Applier Applier => Host.Services.GetRequiredService<Applier>();

    public IInformer<Widget> Widgets => Cluster.Informer<Widget>();

    public static TestHost Build(
        FakeApiServer server,
        Action<ClusterBuilder>? cluster = null,
        Action<IServiceCollection>? services = null,
        Action<KubeRuntimeOptions>? options = null,
        ReflectorSettings? limits = null
    ) => Build(server.Connect, cluster, services, options, limits);

    public static TestHost Build(
        Func<IKubernetes> connect,
        Action<ClusterBuilder>? cluster = null,
        Action<IServiceCollection>? services = null,
        Action<KubeRuntimeOptions>? options = null,
        ReflectorSettings? limits = null
    )
    {
        var logs = new CapturingLoggerProvider();
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs));
        builder.Services.AddSingleton(limits ?? Quick);
        builder.Services.AddKubeRuntime(o =>
        {
            o.Component = "test";
            o.ApplierAnnotation = "example.com/applied";
            options?.Invoke(o);
        });
        builder.Services.AddCluster("home", _ => connect(), cluster ?? (c => c.Informer<Widget>()));
        services?.Invoke(builder.Services);
        return new TestHost(builder.Build(), logs);
    }

    public static ReflectorSettings Quick =>
        new() { BackoffBase = TimeSpan.FromMilliseconds(1), BackoffCap = TimeSpan.FromMilliseconds(20) };

    public static async Task<TestHost> StartAsync(
        FakeApiServer server,
        Action<ClusterBuilder>? cluster = null,
        Action<IServiceCollection>? services = null,
        Action<KubeRuntimeOptions>? options = null
    )
    {
        var host = Build(server, cluster, services, options);
        await host.Host.StartAsync();
        return host;
    }

    /// <summary>Starts and waits until widgets have synced and are being watched.</summary>
    public static async Task<TestHost> StartSyncedAsync(
        FakeApiServer server,
        Action<ClusterBuilder>? cluster = null,
        Action<IServiceCollection>? services = null,
        Action<KubeRuntimeOptions>? options = null
    )
    {
        var host = await StartAsync(server, cluster, services, options);
        await host.Widgets.WaitForSyncAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        await Eventually.HoldsAsync(() => server.Widgets(c => c.OpenWatches) > 0, "widgets are watched");
        return host;
    }

    public async Task<(HttpStatusCode Status, string Text)> GetAsync(IPEndPoint? endpoint, string path)
    {
        using var response = await _http.GetAsync(new Uri($"http://127.0.0.1:{endpoint!.Port}{path}"));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await Host.StopAsync(deadline.Token);
        await ((IAsyncDisposable)Host).DisposeAsync();
    }
}
