using System.Text.Json.Nodes;
using k8s;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Benchmarks;

/// <summary>How long one tenant's Route takes while another tenant's thousands are being worked on.</summary>
internal static class Fairness
{
    private const string Group = "kubelb.k8c.io";
    private const int Callers = 8;

    public static async Task<IReadOnlyList<Row>> MeasureAsync(Sizes sizes)
    {
        await using var sandbox = await SandboxEnvironment.StartAsync(new SandboxOptions { Tenants = 2 });
        foreach (var tenant in sandbox.Tenants)
        {
            // Its CCM would remove Routes that stand for nothing.
            await tenant.Ccm.StopAsync();
        }

        using var client = sandbox.Management.CreateClient("benchmark");
        Task Create(string tenant, string name) => client.CustomObjects.CreateNamespacedCustomObjectAsync(Route(name), Group, "v1alpha1", tenant, "routes");

        // What is compiled and cached at the first one is not what is compared.
        await GeneratedRoutes.TimeAsync(sandbox, "warm", sizes.Timed, "", name => Create("tenant-t2", name));
        var alone = await GeneratedRoutes.TimeAsync(sandbox, "alone", sizes.Timed, "the other tenant at rest", name => Create("tenant-t2", name));

        // Callers that write share the cores with the manager: they are done before it begins.
        await sandbox.Manager.StopAsync();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, sizes.Flood),
            new ParallelOptions { MaxDegreeOfParallelism = Callers },
            async (i, _) => await Create("tenant-t1", $"flood{i}"));
        await sandbox.Manager.StartAsync();
        while (await CountAsync(client, "httproutes") < sizes.Flood / 20)
        {
            await Task.Delay(20);
        }

        var before = await CountAsync(client, "httproutes");
        var beside = await GeneratedRoutes.TimeAsync(
            sandbox, "beside", sizes.Timed, $"{sizes.Flood:N0} new Routes of the other tenant under way", name => Create("tenant-t2", name));
        var after = await CountAsync(client, "httproutes");
        return
        [
            alone,
            beside with { What = $"{beside.What} ({before:N0} of them done at the start, {after:N0} at the end)", Target = "at most twice as long" },
        ];
    }

    // Of the flooding tenant.
    private static async Task<int> CountAsync(IKubernetes client, string plural)
    {
        var list = (System.Text.Json.JsonElement)await client.CustomObjects.ListNamespacedCustomObjectAsync(
            "gateway.networking.k8s.io", "v1", "tenant-t1", plural, limit: 1);
        var there = list.GetProperty("items").GetArrayLength();
        return list.GetProperty("metadata").TryGetProperty("remainingItemCount", out var more) ? there + more.GetInt32() : there;
    }

    private static JsonObject Route(string name) => new()
    {
        ["apiVersion"] = $"{Group}/v1alpha1",
        ["kind"] = "Route",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["labels"] = new JsonObject
            {
                ["kubelb.k8c.io/origin-name"] = name,
                ["kubelb.k8c.io/origin-ns"] = "default",
                ["kubelb.k8c.io/origin-resource-kind"] = "HTTPRoute.gateway.networking.k8s.io",
                ["kubelb.k8c.io/managed-by"] = "kubelb",
            },
        },
        ["spec"] = new JsonObject
        {
            ["endpoints"] = new JsonArray(new JsonObject { ["name"] = "default", ["addressesReference"] = new JsonObject { ["name"] = "default" } }),
            ["source"] = new JsonObject
            {
                ["kubernetes"] = new JsonObject
                {
                    ["resource"] = new JsonObject
                    {
                        ["apiVersion"] = "gateway.networking.k8s.io/v1",
                        ["kind"] = "HTTPRoute",
                        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["uid"] = name },
                        ["spec"] = new JsonObject
                        {
                            ["parentRefs"] = new JsonArray(new JsonObject { ["name"] = "gateway" }),
                            ["hostnames"] = new JsonArray($"{name}.example.com"),
                            ["rules"] = new JsonArray(new JsonObject { ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = name, ["port"] = 80 }) }),
                        },
                    },
                    ["services"] = new JsonArray(new JsonObject
                    {
                        ["apiVersion"] = "v1",
                        ["kind"] = "Service",
                        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
                        ["spec"] = new JsonObject
                        {
                            ["type"] = "NodePort",
                            ["ports"] = new JsonArray(new JsonObject { ["port"] = 80, ["nodePort"] = 30080, ["protocol"] = "TCP" }),
                        },
                    }),
                },
            },
        },
    };
}
