namespace KubeLB.Benchmarks.RealManager;

/// <summary>
/// What one change costs from the API server through the manager to a connected proxy, at few and at many routes. Each size has a cluster
/// and a manager of its own; the sizes alternate, so that other load on the machine affects all of them alike.
/// </summary>
internal static class ManagerPush
{
    private const int WarmUp = 30;

    // Longer than the manager waits for Envoy Gateway's answer, which does not come here.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    public static async Task<IReadOnlyList<Row>> MeasureAsync(Sizes sizes)
    {
        var tenants = new List<TenantOfSize>();
        try
        {
            foreach (var routes in sizes.ManagerRoutes)
            {
                tenants.Add(await TenantOfSize.StartAsync(routes));
            }

            return
            [
                .. await MeasureAsync(tenants, "the list of nodes changed", sizes.ManagerChanges, t => t.ChangeNodesAsync()),
                .. await MeasureAsync(
                    tenants,
                    "the node port of one route's Service changed",
                    sizes.ManagerChanges,
                    t => t.ChangeNodePortAsync()
                ),
                .. await MeasureAsync(tenants, "a new route", sizes.ManagerChanges, t => t.AddRouteAsync()),
                .. await BytesAsync(),
                .. await CountAsync(tenants, "the list of nodes changed", t => t.ChangeNodesAsync()),
                .. await CountAsync(tenants, "the node port of one route's Service changed", t => t.ChangeNodePortAsync()),
                .. await CountAsync(tenants, "a new route", t => t.AddRouteForGoodAsync()),
            ];
        }
        finally
        {
            foreach (var tenant in tenants)
            {
                await tenant.DisposeAsync();
            }
        }
    }

    private static async Task<IReadOnlyList<Row>> MeasureAsync(
        List<TenantOfSize> tenants,
        string what,
        int count,
        Func<TenantOfSize, Task<Pushed>> change
    )
    {
        await AtRest.WaitAsync(Quiet, [.. tenants.Select(t => t.Server)]);
        var pushed = tenants.ToDictionary(t => t, _ => new List<Pushed>());
        for (var i = -Math.Min(WarmUp, count); i < count; i++)
        {
            foreach (var tenant in tenants)
            {
                var one = await change(tenant);
                if (i >= 0)
                {
                    pushed[tenant].Add(one);
                }
            }
        }

        var smallest = Median(pushed[tenants[0]], p => p.SinceSent);
        return
        [
            .. pushed.Select(p => new Row(
                $"{what}, {p.Key.Routes:N0} routes",
                $"median {Median(p.Value, o => o.SinceSent):N1} ms ({Median(p.Value, o => o.SinceSent) / smallest:N2} x), "
                    + $"{Median(p.Value, o => o.SinceAnswered):N1} ms of it after the API server's answer, "
                    + $"slowest of {count} {p.Value.Max(o => o.SinceSent):N0} ms, {Median(p.Value, o => o.Bytes):N0} bytes",
                "< 10 ms, within 1.5 x"
            )),
        ];
    }

    private static async Task<IReadOnlyList<Row>> BytesAsync()
    {
        var rows = new List<Row>();
        foreach (var nodePorts in (int[])[1, 50])
        {
            await using var tenant = await TenantOfSize.StartAsync(nodePorts, nodePorts);
            var pushed = await tenant.ChangeNodesAsync();
            rows.Add(new Row($"one more node beside {TenantOfSize.Nodes}, {nodePorts} node ports", $"{pushed.Bytes:N0} bytes"));
        }

        return rows;
    }

    private static async Task<IReadOnlyList<Row>> CountAsync(List<TenantOfSize> tenants, string what, Func<TenantOfSize, Task> change)
    {
        var servers = tenants.Select(t => t.Server).ToArray();
        await AtRest.WaitAsync(Quiet, servers);
        foreach (var tenant in tenants)
        {
            tenant.ForgetRequests();
            await change(tenant);
        }

        await AtRest.WaitAsync(Quiet, servers);
        return
        [
            .. tenants.Select(t => new Row(
                $"the manager's requests: {what}, {t.Routes:N0} routes",
                t.Requests(),
                "the same at any number"
            )),
        ];
    }

    private static double Median(List<Pushed> pushed, Func<Pushed, double> of) => pushed.Select(of).Order().ElementAt(pushed.Count / 2);
}
