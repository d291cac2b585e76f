using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Dashboard;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Inspection.Tests.Dashboard.Support;

/// <summary>A sandbox that serves the first example of the documentation, with its dashboard.</summary>
public sealed class DashboardFixture : IAsyncLifetime
{
    internal SandboxEnvironment Sandbox { get; private set; } = null!;

    internal DashboardServer Server { get; private set; } = null!;

    internal DashboardClient Client { get; private set; } = null!;

    internal TestCluster Tenant { get; private set; } = null!;

    internal TestCluster Management { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Sandbox = await SandboxEnvironment.StartAsync(
            new SandboxOptions { Manager = manager => manager with { HealthProbeBindAddress = "127.0.0.1:0" } }
        );
        Tenant = new TestCluster(Sandbox.Tenants[0].Cluster.CreateClient("test"));
        Management = new TestCluster(Sandbox.Management.CreateClient("test"));
        Server = await SandboxDashboard.StartAsync(Sandbox, CancellationToken.None);
        Client = new DashboardClient(Server);
        await Management.WaitAsync<Tenant>("", "t1", t => t.Status?.Phase == TenantPhases.Ready, "is ready");
        foreach (var manifest in new[] { Documents.Gateway, Documents.Backend, Documents.Deployment, Documents.Route })
        {
            await Tenant.ApplyAsync(manifest);
        }

        await Client.OverviewAsync(
            rows =>
                rows.Count >= 3
                && rows.All(r => r.GetProperty("state").GetString() == "Ok")
                && rows.Any(r => r.GetProperty("kind").GetString() == HttpRoute.KindName),
            "all objects work"
        );
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        await Tenant.DisposeAsync();
        await Management.DisposeAsync();
        await Sandbox.DisposeAsync();
    }
}

/// <summary>Tests that change the same sandbox run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class DashboardCollection : ICollectionFixture<DashboardFixture>
{
    public const string Name = "dashboard";
}
