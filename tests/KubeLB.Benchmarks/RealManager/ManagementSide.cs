using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Benchmarks.RealManager;

/// <summary>A management cluster with what tenants' CCMs write there, and nothing else: no CCM, no Envoy Gateway, no proxies.</summary>
internal sealed class ManagementSide : IAsyncDisposable
{
    private const int Callers = 8;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly EmbeddedSandboxCluster _cluster;
    private readonly IKubernetes _client;

    private ManagementSide(EmbeddedSandboxCluster cluster)
    {
        _cluster = cluster;
        _client = cluster.CreateClient("benchmark");
    }

    public EmbeddedCluster.EmbeddedCluster Server => _cluster.Server;

    /// <summary>Starts a cluster with Tenants of these names.</summary>
    public static async Task<ManagementSide> StartAsync(IReadOnlyList<string> tenants)
    {
        var cluster = await EmbeddedSandboxCluster.StartAsync(new ClusterRequest("management", (30000, 32767), Tls: true));
        await ClusterSetup.PrepareManagementAsync(cluster, tenants, CancellationToken.None);
        return new ManagementSide(cluster);
    }

    /// <summary>Waits until a manager has set all tenants up.</summary>
    public Task TenantsReadyAsync() =>
        EventuallyAsync(
            "all tenants are ready",
            async () =>
            {
                var tenants = (JsonElement)
                    await _client.CustomObjects.ListClusterCustomObjectAsync(ApiGroups.Kubelb, KubelbVersion.Name, Tenant.PluralName);
                return tenants
                    .GetProperty("items")
                    .EnumerateArray()
                    .All(t =>
                        ApiJson.Read<Tenant>(System.Text.Json.Nodes.JsonNode.Parse(t.GetRawText())!).Status?.Phase == TenantPhases.Ready
                    );
            }
        );

    /// <summary>Creates the tenant's list of nodes, as its CCM does.</summary>
    public Task CreateNodesAsync(string tenant, int nodes) =>
        _client.CustomObjects.CreateNamespacedCustomObjectAsync(
            new Addresses
            {
                Metadata = new V1ObjectMeta { Name = Addresses.DefaultName },
                Spec = new AddressesSpec { Addresses = Nodes(nodes) },
            },
            ApiGroups.Kubelb,
            KubelbVersion.Name,
            TenantNames.Namespace(tenant),
            Addresses.PluralName
        );

    /// <summary>Changes the tenant's list of nodes.</summary>
    public Task SetNodesAsync(string tenant, int nodes) =>
        PatchAsync(tenant, Addresses.PluralName, Addresses.DefaultName, new AddressesSpec { Addresses = Nodes(nodes) });

    /// <summary>Creates the tenant's Gateway and so many HTTPRoutes, each with a Service of its own.</summary>
    /// <param name="tenant">The Tenant.</param>
    /// <param name="routes">How many; their names are those of <see cref="RouteName"/>.</param>
    /// <param name="nodePort">The node port of each route's Service.</param>
    public async Task CreateRoutesAsync(string tenant, int routes, Func<int, int> nodePort)
    {
        await CreateAsync(CcmRoutes.Gateway(TenantNames.Namespace(tenant)));
        await Parallel.ForEachAsync(
            Enumerable.Range(0, routes),
            new ParallelOptions { MaxDegreeOfParallelism = Callers },
            async (i, _) => await CreateRouteAsync(tenant, RouteName(i), nodePort(i))
        );
    }

    public Task CreateRouteAsync(string tenant, string name, int nodePort) => CreateAsync(NewRoute(tenant, name, nodePort));

    /// <summary>The tenant's Service has another node port.</summary>
    public Task SetNodePortAsync(string tenant, string name, int nodePort) =>
        PatchAsync(tenant, Route.PluralName, name, NewRoute(tenant, name, nodePort).Spec!);

    public Task DeleteRouteAsync(string tenant, string name) =>
        _client.CustomObjects.DeleteNamespacedCustomObjectAsync(
            ApiGroups.Kubelb,
            KubelbVersion.Name,
            TenantNames.Namespace(tenant),
            Route.PluralName,
            name
        );

    /// <summary>What the tenant's proxies show the manager.</summary>
    public async Task<X509Certificate2> ProxyCertificateAsync(string tenant)
    {
        X509Certificate2? certificate = null;
        await EventuallyAsync(
            $"{tenant}'s proxies have a certificate",
            async () =>
            {
                var secrets = await _client.CoreV1.ListNamespacedSecretAsync(
                    TenantNames.Namespace(tenant),
                    fieldSelector: "metadata.name=envoy-xds-client"
                );
                if (secrets.Items is [{ Data: { Count: > 0 } data }])
                {
                    certificate = X509Certificate2.CreateFromPem(
                        Encoding.UTF8.GetString(data["tls.crt"]),
                        Encoding.UTF8.GetString(data["tls.key"])
                    );
                }

                return certificate is not null;
            }
        );
        return certificate!;
    }

    /// <summary>The manager's requests from here on, watches and its Lease left out.</summary>
    public void ForgetRequests() => Server.Requests.Clear();

    /// <summary>How many of which kind they were.</summary>
    public string Requests()
    {
        var counts = Server
            .Requests.Snapshot()
            .Where(r => r.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal) && r.Verb != "watch" && r.Resource != "leases")
            .GroupBy(r => r.Verb)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => $"{g.Count()} {g.Key}");
        return string.Join(", ", counts.DefaultIfEmpty("none"));
    }

    public static string RouteName(int i) => $"r{i}";

    /// <summary>Waits for a condition.</summary>
    public static async Task EventuallyAsync(string what, Func<Task<bool>> holds)
    {
        var deadline = DateTime.UtcNow + Deadline;
        while (!await holds())
        {
            if (DateTime.UtcNow > deadline)
            {
                throw new TimeoutException($"It did not come to pass that {what}.");
            }

            await Task.Delay(Pause);
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return _cluster.DisposeAsync();
    }

    private static List<EndpointAddress> Nodes(int count) =>
        [.. Enumerable.Range(1, count).Select(i => new EndpointAddress { Ip = new IPAddress([10, 1, 0, (byte)i]).ToString() })];

    private static Route NewRoute(string tenant, string name, int nodePort)
    {
        var route = CcmRoutes.Http(TenantNames.Namespace(tenant), name);
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = nodePort);
        return route;
    }

    private Task<object> CreateAsync(Route route) =>
        _client.CustomObjects.CreateNamespacedCustomObjectAsync(
            route,
            ApiGroups.Kubelb,
            KubelbVersion.Name,
            route.Namespace,
            Route.PluralName
        );

    private Task<object> PatchAsync(string tenant, string plural, string name, object spec) =>
        _client.CustomObjects.PatchNamespacedCustomObjectAsync(
            new V1Patch(
                new System.Text.Json.Nodes.JsonObject { ["spec"] = ApiJson.ToJson(spec) }.ToJsonString(),
                V1Patch.PatchType.MergePatch
            ),
            ApiGroups.Kubelb,
            KubelbVersion.Name,
            TenantNames.Namespace(tenant),
            plural,
            name
        );
}
