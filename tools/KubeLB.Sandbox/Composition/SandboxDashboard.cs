using KubeLB.Inspection.Dashboard;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Composition;

/// <summary>The live page of a sandbox: the same as <c>kubelb dashboard</c>, for all tenants.</summary>
internal static class SandboxDashboard
{
    private const string UserAgent = "kubelb-dashboard";

    /// <summary>Starts the page of a running sandbox, on a free port.</summary>
    public static Task<DashboardServer> StartAsync(SandboxEnvironment sandbox, CancellationToken cancellationToken) =>
        DashboardServer.StartAsync(Options(sandbox), cancellationToken);

    /// <summary>The page of a sandbox.</summary>
    public static DashboardOptions Options(SandboxEnvironment sandbox)
    {
        var probes = sandbox.Manager.Host?.Services.GetRequiredService<RuntimeEndpoints>().Probe;
        return new DashboardOptions
        {
            Management = sandbox.Management.CreateClient(UserAgent),
            Tenants = [.. sandbox.Tenants.Select(t => new DashboardTenant(t.Cluster.CreateClient(UserAgent), t.Namespace))],
            ResolveGateway = sandbox.ResolveGateway,
            ManagerDebug = probes is null ? null : new Uri($"http://{probes}"),
        };
    }
}
