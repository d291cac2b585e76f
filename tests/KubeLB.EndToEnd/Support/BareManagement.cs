using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd.Support;

/// <summary>A management cluster with managers only: no CCM, no Envoy Gateway, no running pods.</summary>
public sealed class BareManagement : IAsyncDisposable
{
    /// <summary>Namespace of tenant <c>t1</c>.</summary>
    public const string TenantNamespace = "tenant-t1";

    private readonly List<IHost> _managers = [];

    private BareManagement(ITestCluster cluster)
    {
        Cluster = cluster;
        Objects = new TestCluster(cluster.CreateClient("test"));
    }

    public ITestCluster Cluster { get; }

    public TestCluster Objects { get; }

    /// <summary>Starts the cluster, with the definitions of KubeLB, Gateway API and Envoy Gateway.</summary>
    /// <param name="config">Fields of the Config's spec, in flow style.</param>
    public static async Task<BareManagement> StartAsync(string config = "")
    {
        var management = new BareManagement(await TestClusters.TestClusters.StartAsync("management"));
        await management.Cluster.InstallCrdsAsync(
            new[] { "deploy/crds", "tools/KubeLB.Sandbox/Crds" }
                .SelectMany(folder => Directory.GetFiles(Path.Combine(SourceTree.Root, folder), "*_*.yaml"))
                .Where(file => !file.Contains("monitoring.coreos.com", StringComparison.Ordinal))
                .Select(File.ReadAllText)
        );
        await management.Objects.ApplyAsync("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kubelb\n");

        // An API server on the loopback interface does not publish its address.
        await management.Objects.ApplyAsync(
            $$"""
            apiVersion: kubelb.k8c.io/v1alpha1
            kind: Config
            metadata: {name: default, namespace: kubelb}
            spec: {apiServerURL: "https://127.0.0.1:6443"{{(config.Length > 0 ? $", {config}" : "")}}}
            """
        );
        // What the administrator creates for Envoy Gateway.
        await management.Objects.ApplyAsync(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: GatewayClass
            metadata: {name: eg}
            spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
            """
        );
        return management;
    }

    /// <summary>Starts a manager that serves xDS on the loopback interface.</summary>
    /// <param name="userAgent">The user agent of its requests.</param>
    /// <param name="insecure">Whether it serves plain text.</param>
    /// <param name="configure">Changes its services.</param>
    public async Task<IHost> StartManagerAsync(
        string userAgent = "manager",
        bool insecure = false,
        Action<IServiceCollection>? configure = null
    )
    {
        var host = ManagerHost.Build(
            new ManagerOptions
            {
                EnableGatewayApi = true,
                ListenAddress = "127.0.0.1:0",
                XdsInsecure = insecure,
                MetricsAddress = "0",
                HealthProbeBindAddress = "0",
            },
            () => Cluster.CreateClient(userAgent),
            configure
        );
        _managers.Add(host);
        await host.StartAsync();
        return host;
    }

    /// <summary>Waits until a manager leads, and creates tenant <c>t1</c>.</summary>
    public async Task AddTenantAsync(IHost manager)
    {
        await manager.Services.GetRequiredService<ILeadership>().WaitUntilLeadingAsync(default);
        await Objects.ApplyAsync("apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: t1\nspec: {}\n");
        await Objects.WaitAsync<Tenant>("", "t1", t => t.Status?.Phase == TenantPhases.Ready, "is set up");
    }

    /// <summary>What the CCM does when the tenant's nodes change.</summary>
    public async Task SetAddressesAsync(params string[] ips)
    {
        var addresses = new Addresses
        {
            Metadata = new V1ObjectMeta { Name = Addresses.DefaultName, NamespaceProperty = TenantNamespace },
            Spec = new AddressesSpec { Addresses = [.. ips.Select(ip => new EndpointAddress { Ip = ip })] },
        };
        if (await Objects.GetAsync<Addresses>(TenantNamespace, Addresses.DefaultName) is null)
        {
            await Objects.CreateAsync(addresses);
        }
        else
        {
            await Objects.PatchAsync<Addresses>(
                TenantNamespace,
                Addresses.DefaultName,
                ApiJson.ToJson(new { addresses.Spec }).ToJsonString()
            );
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var manager in Enumerable.Reverse(_managers))
        {
            await manager.StopAsync();
            manager.Dispose();
        }

        await Objects.DisposeAsync();
        await Cluster.DisposeAsync();
    }
}
