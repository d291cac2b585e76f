using k8s;
using KubeLB.EndToEnd.Support;
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
            // The CCM would remove Routes without source objects.
            await tenant.Ccm.StopAsync();
        }

        using var client = sandbox.Management.CreateClient("benchmark");
        Task Create(string tenant, string name) =>
            client.CustomObjects.CreateNamespacedCustomObjectAsync(
                CcmRoutes.Http(tenant, name, "gateway"),
                Group,
                "v1alpha1",
                tenant,
                "routes"
            );

        // A warm-up: compilation and caching are not compared.
        await GeneratedRoutes.TimeAsync(sandbox, "warm", sizes.Timed, "", name => Create("tenant-t2", name));
        var alone = await GeneratedRoutes.TimeAsync(
            sandbox,
            "alone",
            sizes.Timed,
            "the other tenant at rest",
            name => Create("tenant-t2", name)
        );

        // Callers that write share the cores with the manager: they are done before it begins.
        await sandbox.Manager.StopAsync();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, sizes.Flood),
            new ParallelOptions { MaxDegreeOfParallelism = Callers },
            async (i, _) => await Create("tenant-t1", $"flood{i}")
        );
        await sandbox.Manager.StartAsync();
        while (await CountAsync(client, "httproutes") < sizes.Flood / 20)
        {
            await Task.Delay(20);
        }

        var before = await CountAsync(client, "httproutes");
        var beside = await GeneratedRoutes.TimeAsync(
            sandbox,
            "beside",
            sizes.Timed,
            $"{sizes.Flood:N0} new Routes of the other tenant under way",
            name => Create("tenant-t2", name)
        );
        var after = await CountAsync(client, "httproutes");
        return
        [
            alone,
            beside with
            {
                What = $"{beside.What} ({before:N0} of them done at the start, {after:N0} at the end)",
                Target = "at most twice as long",
            },
        ];
    }

    // Of the flooding tenant.
    private static async Task<int> CountAsync(IKubernetes client, string plural)
    {
        var list = (System.Text.Json.JsonElement)
            await client.CustomObjects.ListNamespacedCustomObjectAsync("gateway.networking.k8s.io", "v1", "tenant-t1", plural, limit: 1);
        var there = list.GetProperty("items").GetArrayLength();
        return list.GetProperty("metadata").TryGetProperty("remainingItemCount", out var more) ? there + more.GetInt32() : there;
    }
}
