using KubeLB.Benchmarks;
using KubeLB.Benchmarks.NodeHealth;
using KubeLB.Benchmarks.Published;
using KubeLB.Benchmarks.RealManager;

var quick = args.Contains("--quick");
var chosen = args.FirstOrDefault(a => a != "--quick") ?? "all";
var sizes = quick ? Sizes.Quick : Sizes.Full;

switch (chosen)
{
    case "all":
        Table.Print([
            .. await EmbeddedClusterSpeed.MeasureAsync(sizes),
            .. await InstallationCost.MeasureAsync(sizes),
            .. await Fairness.MeasureAsync(sizes),
            .. await XdsPush.MeasureAsync(sizes),
            await XdsMemory.MeasureAsync(sizes),
            .. await ManagerPush.MeasureAsync(sizes),
            await ManagerMemory.MeasureAsync(sizes),
        ]);
        return 0;
    case "embedded":
        Table.Print(await EmbeddedClusterSpeed.MeasureAsync(sizes));
        return 0;
    case "ccm":
        Table.Print(await InstallationCost.MeasureAsync(sizes));
        return 0;
    case "fairness":
        Table.Print(await Fairness.MeasureAsync(sizes));
        return 0;
    case "xds":
        Table.Print([.. await XdsPush.MeasureAsync(sizes), await XdsMemory.MeasureAsync(sizes)]);
        return 0;
    case "manager":
        Table.Print([.. await ManagerPush.MeasureAsync(sizes), await ManagerMemory.MeasureAsync(sizes)]);
        return 0;
    case "health":
        if (await HealthMeasurement.MeasureAsync(sizes) is not { } health)
        {
            return 1;
        }

        Table.Print(health);
        return 0;
    case "list":
        Console.WriteLine("embedded  the embedded cluster: start, creates, a watch, memory");
        Console.WriteLine("ccm       the CCM and the manager: API requests per change, time to a generated HTTPRoute");
        Console.WriteLine("fairness  the manager: one tenant's Route while another tenant has thousands");
        Console.WriteLine("xds       the xDS server: what one changed resource costs among many, memory");
        Console.WriteLine(
            "manager   the manager and its xDS server: a change's way from the API server to a proxy, bytes, requests, memory"
        );
        Console.WriteLine(
            "health    the real Envoy: what clients notice of nodes and ports that fail (root, the program ip; not part of all)"
        );
        Console.WriteLine(
            "published FOLDER... [NAME=VALUE...]  published executables in FOLDER/ccm and FOLDER/manager, with these variables "
                + "(root; not part of all)"
        );
        Console.WriteLine("all       all the others (the default)");
        return 0;
    case "published" when args.Length >= 2:
        await PublishedControllers.MeasureAsync(
            quick ? 100 : 1_000,
            [.. args[1..].Where(a => Directory.Exists(a))],
            [.. args[1..].Where(a => !Directory.Exists(a) && a.Contains('=', StringComparison.Ordinal))]
        );
        return 0;
    case MemoryUse.Command when args.Length >= 3:
        await MemoryUse.ReportAsync(int.Parse(args[1]), int.Parse(args[2]));
        return 0;
    case XdsMemory.Command when args.Length >= 2:
        await XdsMemory.ReportAsync(int.Parse(args[1]));
        return 0;
    case RunningManager.Command when args.Length >= 2:
        await RunningManager.ServeAsync(args[1]);
        return 0;
    case StartTime.Command when args.Length >= 2:
        await StartTime.ReportAsync(bool.Parse(args[1]));
        return 0;
    default:
        await Console.Error.WriteLineAsync(
            $"There is no benchmark {chosen}; use embedded, ccm, fairness, xds, manager, health, published, all or list, and --quick "
                + "for smaller numbers."
        );
        return 2;
}
