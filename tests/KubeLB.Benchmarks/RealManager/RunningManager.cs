using System.Net;
using k8s;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Runtime.Connections;
using KubeLB.Sandbox.Composition;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Benchmarks.RealManager;

/// <summary>The manager as its executable builds it, but for the log.</summary>
internal sealed class RunningManager(IHost host) : IAsyncDisposable
{
    public const string Command = "manager-process";

    private const string UserAgent = "kubelb-manager";
    private const long Megabyte = 1024 * 1024;

    /// <summary>Where it serves xDS.</summary>
    public IPEndPoint Address => host.Services.GetRequiredService<XdsEndpoint>().Address!;

    public static async Task<RunningManager> StartAsync(Func<IKubernetes> connect)
    {
        var options = new ManagerOptions
        {
            Namespace = ClusterSetup.ManagerNamespace,
            EnableGatewayApi = true,
            EnableLeaderElection = false,
            MetricsAddress = "",
            HealthProbeBindAddress = "",
            ListenAddress = "127.0.0.1:0",
        };
        var host = ManagerHost.Build(
            options,
            connect,
            services =>
            {
                services.RemoveAll<ILoggerFactory>();
                services.RemoveAll<ILoggerProvider>();
                services.AddLogging();
            }
        );
        await host.StartAsync();
        return new RunningManager(host);
    }

    public static Task<RunningManager> StartAsync(ManagementSide management) => StartAsync(() => management.Server.CreateClient(UserAgent));

    /// <summary>
    /// A manager in this process, which prints where it serves xDS, and at each line that it reads how much memory it has.
    /// </summary>
    public static async Task ServeAsync(string kubeconfig)
    {
        await using var manager = await StartAsync(() => Kubeconfig.Connect(kubeconfig, UserAgent));
        Console.WriteLine(manager.Address);
        while (await Console.In.ReadLineAsync() is not null)
        {
            var asIs = Environment.WorkingSet;
            var peak = System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64;
            var managed = GC.GetTotalMemory(forceFullCollection: true);
            Console.WriteLine(
                $"{asIs / Megabyte:N0} MB (peak {peak / Megabyte:N0} MB); after a full collection "
                    + $"{Environment.WorkingSet / Megabyte:N0} MB, {managed / Megabyte:N0} MB managed"
            );
        }
    }

    /// <summary>How many listeners a tenant's proxies have.</summary>
    public int ListenersOf(string tenantNamespace) =>
        host.Services.GetRequiredService<ResourceCache>().Count(tenantNamespace, ResourceTypes.Listener);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}
