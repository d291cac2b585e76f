using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.TestClusters;

namespace KubeLB.EndToEnd.Support;

/// <summary>A sandbox whose clusters hold a recorded installation of tenant <c>t1</c>; neither CCM nor manager runs yet.</summary>
public sealed class RecordedFixture : IAsyncDisposable
{
    private static readonly string[] GeneratedKinds =
    [
        "Gateway",
        "HTTPRoute",
        "GRPCRoute",
        "BackendTrafficPolicy",
        "Service",
        "Route",
        "SyncSecret",
        "Deployment",
    ];

    private RecordedFixture(SystemFixture fixture)
    {
        Fixture = fixture;
        Tenant = new RawObjects((ITestCluster)fixture.Sandbox.Tenants[0].Cluster);
        Management = new RawObjects((ITestCluster)fixture.Sandbox.Management);
    }

    /// <summary>Namespace of the tenant.</summary>
    public static string Namespace => BareManagement.TenantNamespace;

    public SystemFixture Fixture { get; }

    public RawObjects Tenant { get; }

    public RawObjects Management { get; }

    /// <summary>Starts the clusters and creates the objects.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="envoyProxy">
    /// Settings of the proxies in the recorded Config. The Config of the fixture has the API server's address and is kept.
    /// </param>
    public static async Task<RecordedFixture> StartAsync(RecordedState recording, string envoyProxy)
    {
        var loaded = new RecordedFixture(await SystemFixture.StartAsync(configure: o => o with { StartControllers = false }));
        await loaded.Fixture.ConfigureProxiesAsync(envoyProxy);
        await loaded.Fixture.Management.DeleteAsync<Tenant>("", "t1");
        await recording.LoadTenantAsync(loaded.Tenant);
        await recording.LoadManagementAsync(loaded.Management);
        loaded.Fixture.ForgetRequests();
        return loaded;
    }

    /// <summary>What was generated for the tenant, with what must not change: UIDs, cluster IPs and ports.</summary>
    public async Task<IReadOnlyList<string>> GeneratedAsync()
    {
        var found = new List<string>();
        foreach (var kind in GeneratedKinds)
        {
            found.AddRange(
                (await Management.ListAsync(kind, Namespace)).Select(value =>
                    $"{kind} {RawObjects.NameOf(value)} {RawObjects.UidOf(value)}"
                    + (
                        kind == "Service"
                            ? $" {value["spec"]!["clusterIP"]} "
                                + $"{string.Join(',', value["spec"]!["ports"]!.AsArray().Select(p => p!["targetPort"]))}"
                            : ""
                    )
                )
            );
        }

        return [.. found.Order(StringComparer.Ordinal)];
    }

    /// <summary>Waits until the tenant reads the address at which its Gateway is served here, and no longer the recorded one.</summary>
    public async Task<string> WaitForAddressAsync(string @namespace, string name, string generatedName)
    {
        var generated = await Fixture.Management.WaitAsync<Gateway>(Namespace, generatedName, Statuses.IsProgrammed, "is programmed");
        var address = generated.Status!.Addresses![0].Value!;
        await Fixture.Tenant.WaitAsync<Gateway>(
            @namespace,
            name,
            g => Statuses.IsProgrammed(g) && g.Status!.Addresses![0].Value == address,
            "has its present address"
        );
        return address;
    }

    public async ValueTask DisposeAsync()
    {
        Tenant.Dispose();
        Management.Dispose();
        await Fixture.DisposeAsync();
    }
}
