using System.Globalization;
using System.Net;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Probes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Inspection.Dashboard;

/// <summary>The live page: a web server on loopback, with caches of the clusters that it reads.</summary>
public sealed class DashboardServer : IAsyncDisposable
{
    private const long MaxBody = 128 * 1024;

    private readonly WebApplication _app;

    private DashboardServer(WebApplication app, IPEndPoint address, string key)
    {
        _app = app;
        Address = new Uri($"http://127.0.0.1:{address.Port.ToString(CultureInfo.InvariantCulture)}/");
        Key = key;
    }

    /// <summary>Where the page is served.</summary>
    public Uri Address { get; }

    /// <summary>What requests for data must have in the header <c>X-KubeLB-Key</c>.</summary>
    public string Key { get; }

    /// <summary>
    /// The URL for the user. The key is in the fragment, which browsers do not send; the page stores it for its tab and removes it from the
    /// address bar.
    /// </summary>
    public Uri Url => new(Address, "#key=" + Key);

    /// <summary>A URL that can be opened once, within a minute: for a browser whose arguments other users of the machine can see.</summary>
    public Uri CreateOpenUrl() => new(Address, "#code=" + _app.Services.GetRequiredService<RequestGuard>().NewCode());

    /// <summary>Starts the page. The caches are filled after this returns.</summary>
    /// <exception cref="IOException">The port is in use.</exception>
    public static async Task<DashboardServer> StartAsync(DashboardOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var address = new ListenAddress(IPAddress.Loopback, options.Port);
        var builder = KestrelListener.CreateBuilder(address);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBody);
        var services = builder.Services;
        services.AddKubeRuntime(runtime =>
        {
            runtime.FieldManager = "kubelb";
            runtime.MetricsAddress = "";
            runtime.ProbeAddress = "";
        });
        DashboardClusters.Register(services, options);
        services.AddSingleton(options);
        services.AddSingleton(options.Settings);
        services.AddSingleton<RowTable>();
        services.AddSingleton<ProxyStates>();
        services.AddSingleton<DashboardTraffic>();
        services.AddSingleton<TraceViews>();
        services.AddSingleton<ObjectEvents>();
        services.AddSingleton<ProbeRequests>();
        services.AddSingleton<DashboardFeed>();
        services.AddSingleton<DashboardApi>();
        services.AddHostedService(provider => provider.GetRequiredService<DashboardFeed>());
        var key = RequestGuard.NewKey();
        var guard = new RequestGuard(key, TimeProvider.System);
        services.AddSingleton(guard);
        var app = builder.Build();
        app.Use(guard.InvokeAsync);
        app.Run(app.Services.GetRequiredService<DashboardApi>().RespondAsync);
        try
        {
            return new DashboardServer(
                app,
                await KestrelListener.StartAsync(app, address, "the dashboard", "--port", cancellationToken).ConfigureAwait(false),
                key
            );
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _app.Services.GetRequiredService<DashboardFeed>().Close();
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }
}
