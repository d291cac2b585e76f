using k8s;
using k8s.Models;
using KubeLB.EmbeddedCluster;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Benchmarks;

/// <summary>The CCM and the manager: API requests per change, at few and at many routes.</summary>
internal static class InstallationCost
{
    public static async Task<IReadOnlyList<Row>> MeasureAsync(Sizes sizes)
    {
        var rows = new List<Row>();
        foreach (var routes in sizes.Routes)
        {
            rows.AddRange(await AtAsync(routes, sizes.Timed));
        }

        return rows;
    }

    private static async Task<IReadOnlyList<Row>> AtAsync(int routes, int timed)
    {
        await using var sandbox = await SandboxEnvironment.StartAsync();
        using var tenant = sandbox.Tenants[0].Cluster.CreateClient("benchmark");
        await tenant.CustomObjects.CreateNamespacedCustomObjectAsync(
            TenantObjects.Gateway(),
            TenantObjects.Group,
            "v1",
            "default",
            "gateways"
        );
        await TenantObjects.CreateServiceAsync(tenant, "shared");
        for (var i = 0; i < routes; i++)
        {
            await TenantObjects.CreateRouteAsync(tenant, $"r{i}", "shared");
        }

        await SettleAsync(sandbox);
        var there = $"{routes:N0} routes there";
        return
        [
            await CountAsync(
                sandbox,
                $"requests for one new HTTPRoute with a new Service, {there}",
                "the same at any number",
                async () =>
                {
                    await TenantObjects.CreateServiceAsync(tenant, "fresh");
                    await TenantObjects.CreateRouteAsync(tenant, "fresh", "fresh");
                }
            ),
            await CountAsync(
                sandbox,
                $"requests for one edit of an HTTPRoute, {there}",
                "the same at any number",
                () =>
                    tenant.CustomObjects.PatchNamespacedCustomObjectAsync(
                        new V1Patch("""{"spec":{"hostnames":["edited.example.com"]}}""", V1Patch.PatchType.MergePatch),
                        TenantObjects.Group,
                        "v1",
                        "default",
                        "httproutes",
                        "r0"
                    )
            ),
            await CountAsync(sandbox, $"requests for one node heartbeat, {there}", "none", () => HeartbeatAsync(sandbox, tenant)),
            await CountAsync(
                sandbox,
                $"requests for one new node, {there} (must be more than 0: shows that heartbeats would be detected)",
                "1 update or patch",
                () => tenant.CoreV1.CreateNodeAsync(Node())
            ),
            await GeneratedRoutes.TimeAsync(
                sandbox,
                "calm",
                timed,
                $"each when all is quiet, {there}",
                name => TenantObjects.CreateRouteAsync(tenant, name, "shared"),
                () => SettleAsync(sandbox)
            ),
            await GeneratedRoutes.TimeAsync(
                sandbox,
                "next",
                timed,
                $"each as soon as the one before it is there, {there}",
                name => TenantObjects.CreateRouteAsync(tenant, name, "shared")
            ),
        ];
    }

    // What a kubelet writes: only the heartbeat time of the conditions changes.
    private static Task<V1Node> HeartbeatAsync(SandboxEnvironment sandbox, IKubernetes tenant) =>
        tenant.CoreV1.PatchNodeStatusAsync(
            new V1Patch(
                $$$"""
                {"status":{"conditions":[{"type":"Ready","lastHeartbeatTime":"{{{DateTime.UtcNow.AddSeconds(10):yyyy-MM-ddTHH:mm:ssZ}}}"}]}}
                """,
                V1Patch.PatchType.StrategicMergePatch
            ),
            $"{sandbox.Tenants[0].Name}-node-1"
        );

    private static async Task<Row> CountAsync(SandboxEnvironment sandbox, string what, string target, Func<Task> change)
    {
        var clusters = new[]
        {
            (Name: "tenant", Cluster: Server(sandbox.Tenants[0].Cluster)),
            (Name: "management", Cluster: Server(sandbox.Management)),
        };
        foreach (var (_, cluster) in clusters)
        {
            cluster.Requests.Clear();
        }

        await change();
        await SettleAsync(sandbox);
        var counts = clusters
            .SelectMany(c => c.Cluster.Requests.Snapshot().Where(IsOurs).Select(r => (c.Name, Client: r.UserAgent.Split('/')[0], r.Verb)))
            .GroupBy(r => (r.Client, r.Name))
            .Select(g =>
                $"{g.Key.Client} in {g.Key.Name}: "
                + string.Join(" + ", g.GroupBy(r => r.Verb).OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Count()} {v.Key}"))
            );
        return new Row(what, string.Join("; ", counts.DefaultIfEmpty("none")), target);
    }

    // Lists and watches count too: one list per change would be the first thing to grow with the number of routes.
    private static bool IsOurs(RequestRecord request) =>
        request.UserAgent.StartsWith("kubelb-ccm", StringComparison.Ordinal)
        || request.UserAgent.StartsWith("kubelb-manager", StringComparison.Ordinal);

    private static Task SettleAsync(SandboxEnvironment sandbox) =>
        AtRest.WaitAsync(TimeSpan.FromSeconds(1), Server(sandbox.Management), Server(sandbox.Tenants[0].Cluster));

    private static EmbeddedCluster.EmbeddedCluster Server(ISandboxCluster cluster) => ((EmbeddedSandboxCluster)cluster).Server;

    private static V1Node Node() =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "added" },
            Status = new V1NodeStatus
            {
                Addresses = [new V1NodeAddress { Type = "ExternalIP", Address = "127.0.0.99" }],
                Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }],
            },
        };
}
