using System.Net;
using KubeLB.Api.Naming;

namespace KubeLB.Benchmarks.RealManager;

/// <summary>
/// Memory of a manager with many tenants and proxies. It has a process of its own; the API server, and the proxies' ends of the
/// connections, are in this one.
/// </summary>
internal static class ManagerMemory
{
    private const int ProxiesPerTenant = 5;
    private const int RoutesPerTenant = 50;
    private const int FirstNodePort = 30000;

    // As far as the routes' statuses, which wait for Envoy Gateway, are written.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    public static async Task<Row> MeasureAsync(Sizes sizes)
    {
        var tenants = Enumerable.Range(0, sizes.XdsProxies / ProxiesPerTenant).Select(i => $"t{i}").ToList();
        var directory = Directory.CreateTempSubdirectory("kubelb-benchmarks");
        try
        {
            var measured = await MeasureAsync(tenants, Path.Combine(directory.FullName, "kubeconfig"));
            return new Row(
                $"a manager with {sizes.XdsProxies:N0} proxies of {tenants.Count:N0} tenants connected, {RoutesPerTenant} routes "
                    + "per tenant",
                measured,
                "< 600 MB"
            );
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<string> MeasureAsync(List<string> tenants, string kubeconfig)
    {
        await using var management = await ManagementSide.StartAsync(tenants);
        await File.WriteAllTextAsync(kubeconfig, management.Server.KubeconfigYaml);
        var (manager, address) = await OwnProcess.StartAsync(RunningManager.Command, kubeconfig);
        await using var ending = manager;
        await management.TenantsReadyAsync();
        foreach (var tenant in tenants)
        {
            await management.CreateNodesAsync(tenant, TenantOfSize.Nodes);
            await management.CreateRoutesAsync(tenant, RoutesPerTenant, i => FirstNodePort + i);
        }

        var proxies = new List<DeltaProxy>();
        try
        {
            foreach (var tenant in tenants)
            {
                using var certificate = await management.ProxyCertificateAsync(tenant);
                for (var i = 0; i < ProxiesPerTenant; i++)
                {
                    var proxy = new DeltaProxy(IPEndPoint.Parse(address), TenantNames.Namespace(tenant), certificate);
                    proxies.Add(proxy);
                    await proxy.HasAsync(RoutesPerTenant);
                }
            }

            management.ForgetRequests();
            await AtRest.WaitAsync(Quiet, management.Server);
            return await manager.AskAsync("memory");
        }
        finally
        {
            foreach (var proxy in proxies)
            {
                await proxy.DisposeAsync();
            }
        }
    }
}
