using System.Diagnostics;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.EmbeddedCluster;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Benchmarks;

/// <summary>The CCM and the manager: API requests per change, at few and at many routes.</summary>
internal static class InstallationCost
{
    private const string Group = "gateway.networking.k8s.io";

    public static async Task<IReadOnlyList<Row>> MeasureAsync() => [.. await AtAsync(10), .. await AtAsync(1_000)];

    private static async Task<IReadOnlyList<Row>> AtAsync(int routes)
    {
        await using var sandbox = await SandboxEnvironment.StartAsync();
        using var tenant = sandbox.Tenants[0].Cluster.CreateClient("benchmark");
        await tenant.CustomObjects.CreateNamespacedCustomObjectAsync(Gateway(), Group, "v1", "default", "gateways");
        await CreateServiceAsync(tenant, "shared");
        for (var i = 0; i < routes; i++)
        {
            await CreateRouteAsync(tenant, $"r{i}", "shared");
        }

        await SettleAsync(sandbox);
        return
        [
            await CountAsync(sandbox, $"one new HTTPRoute with a new Service, {routes:N0} routes there", async () =>
            {
                await CreateServiceAsync(tenant, "fresh");
                await CreateRouteAsync(tenant, "fresh", "fresh");
            }),
            await CountAsync(sandbox, $"one edit of an HTTPRoute, {routes:N0} routes there", () => tenant.CustomObjects.PatchNamespacedCustomObjectAsync(
                new V1Patch("""{"spec":{"hostnames":["edited.example.com"]}}""", V1Patch.PatchType.MergePatch), Group, "v1", "default", "httproutes", "r0")),
            await CountAsync(sandbox, $"one node heartbeat, {routes:N0} routes there", () => tenant.CoreV1.PatchNodeStatusAsync(
                new V1Patch("""{"status":{"nodeInfo":{"bootID":"touched"}}}""", V1Patch.PatchType.MergePatch), $"{sandbox.Tenants[0].Name}-node-1")),
        ];
    }

    private static async Task<Row> CountAsync(SandboxEnvironment sandbox, string what, Func<Task> change)
    {
        var clusters = new[] { ("tenant", sandbox.Tenants[0].Cluster), ("management", sandbox.Management) };
        foreach (var (_, cluster) in clusters)
        {
            cluster.Requests.Clear();
        }

        await change();
        await SettleAsync(sandbox);
        var counts = clusters.SelectMany(c => new[] { "kubelb-ccm", "kubelb-manager" }.Select(client => (Cluster: c.Item1, Client: client, Count: Count(c.Item2, client))));
        return new Row(what, string.Join(", ", counts.Where(c => c.Count > 0).Select(c => $"{c.Client} {c.Count} in {c.Cluster}").DefaultIfEmpty("none")));
    }

    private static int Count(EmbeddedCluster.EmbeddedCluster cluster, string client) =>
        cluster.Requests.Count(r => r.Verb is not ("watch" or "list") && r.Resource != "leases" && r.UserAgent.StartsWith(client, StringComparison.Ordinal));

    // Until nothing was asked for a while.
    private static async Task SettleAsync(SandboxEnvironment sandbox)
    {
        var quiet = Stopwatch.StartNew();
        var last = -1;
        while (quiet.ElapsedMilliseconds < 1_000)
        {
            var now = sandbox.Management.Requests.Count(Counts) + sandbox.Tenants[0].Cluster.Requests.Count(Counts);
            if (now != last)
            {
                last = now;
                quiet.Restart();
            }

            await Task.Delay(50);
        }
    }

    private static bool Counts(RequestRecord request) => request.Verb != "watch" && request.Resource != "leases";

    private static async Task CreateServiceAsync(IKubernetes client, string name) => await client.CoreV1.CreateNamespacedServiceAsync(
        new V1Service
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new V1ServiceSpec { Selector = new Dictionary<string, string> { ["app"] = name }, Ports = [new V1ServicePort { Port = 80 }] },
        },
        "default");

    private static async Task CreateRouteAsync(IKubernetes client, string name, string service) => await client.CustomObjects.CreateNamespacedCustomObjectAsync(
        new JsonObject
        {
            ["apiVersion"] = $"{Group}/v1",
            ["kind"] = "HTTPRoute",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["parentRefs"] = new JsonArray(new JsonObject { ["name"] = "gateway" }),
                ["hostnames"] = new JsonArray($"{name}.example.com"),
                ["rules"] = new JsonArray(new JsonObject
                {
                    ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = service, ["port"] = 80 }),
                }),
            },
        },
        Group, "v1", "default", "httproutes");

    private static JsonObject Gateway() => new()
    {
        ["apiVersion"] = $"{Group}/v1",
        ["kind"] = "Gateway",
        ["metadata"] = new JsonObject { ["name"] = "gateway" },
        ["spec"] = new JsonObject
        {
            ["gatewayClassName"] = "kubelb",
            ["listeners"] = new JsonArray(new JsonObject { ["name"] = "http", ["port"] = 80, ["protocol"] = "HTTP" }),
        },
    };
}
