using System.Globalization;
using k8s;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Benchmarks.Published;

/// <summary>
/// Published executables, each in a container without an engine (<see cref="ImageProcess"/>) under the limits of the charts: size, time to
/// ready, memory at rest and with routes.
/// </summary>
internal static class PublishedControllers
{
    private const int Starts = 3;
    private const int Callers = 4;
    private const int Millicores = 500;
    private const long Limit = 512L << 20;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    /// <summary>Measures one or several publishes.</summary>
    /// <param name="routes">How many HTTPRoutes, each with a Service of its own.</param>
    /// <param name="folders">Folders that hold the publish output <c>ccm</c> and <c>manager</c> each.</param>
    /// <param name="variables">Variables of the processes, NAME=VALUE.</param>
    public static async Task MeasureAsync(int routes, IReadOnlyList<string> folders, IReadOnlyList<string> variables)
    {
        if (ImageProcess.Missing is { } missing)
        {
            throw new InvalidOperationException(missing);
        }

        Console.WriteLine(
            $"| publish | size MB | start s (processor time) | at rest MB | {routes:N0} routes MB | peak MB | processor time in all |"
        );
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var folder in folders)
        {
            await MeasureAsync(routes, folder, variables);
        }
    }

    private static async Task MeasureAsync(int routes, string folder, IReadOnlyList<string> variables)
    {
        var environment = variables.Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);
        environment.TryAdd("DOTNET_EnableDiagnostics", "0");
        var manager = Image(Path.Combine(folder, "manager"), "kubelb-manager", environment);
        var ccm = Image(Path.Combine(folder, "ccm"), "kubelb-ccm", environment);
        var starts = new List<(PublishedController Manager, PublishedController Ccm)>();
        for (var i = 1; i < Starts; i++)
        {
            using var limits = new PairLimits();
            await using var once = await PublishedPair.StartAsync();
            starts.Add(await StartAsync(once, manager, ccm, limits));
        }

        using var last = new PairLimits();
        await using var pair = await PublishedPair.StartAsync();
        starts.Add(await StartAsync(pair, manager, ccm, last));
        var (runningManager, runningCcm) = starts[^1];
        await Task.Delay(2 * Quiet);
        var (managerAtRest, ccmAtRest) = (runningManager.Resident, runningCcm.Resident);
        await CreateRoutesAsync(pair, routes);
        Print(folder, "ccm", ccm, [.. starts.Select(s => s.Ccm)], ccmAtRest, runningCcm);
        Print(folder, "manager", manager, [.. starts.Select(s => s.Manager)], managerAtRest, runningManager);
    }

    private static async Task<(PublishedController Manager, PublishedController Ccm)> StartAsync(
        PublishedPair pair,
        ImageContent manager,
        ImageContent ccm,
        PairLimits limits
    )
    {
        var startedManager = await pair.StartManagerAsync(manager, limits.Manager);
        return (startedManager, await pair.StartCcmAsync(ccm, limits.Ccm));
    }

    private static void Print(
        string folder,
        string name,
        ImageContent image,
        List<PublishedController> starts,
        long atRest,
        PublishedController running
    )
    {
        var best = starts.MinBy(s => s.ReadyAfter)!;
        var size = SizeOf(image.App) + (image.HasRuntime ? RuntimeSize() : 0);
        string[] cells =
        [
            $"{Path.GetFileName(folder)}, {name}",
            image.HasRuntime ? $"{Megabytes(size)} ({Megabytes(SizeOf(image.App))} + runtime)" : Megabytes(size),
            $"{Seconds(best.ReadyAfter)} ({Seconds(starts.Min(s => s.ProcessorTimeUntilReady))})",
            Megabytes(atRest),
            Megabytes(running.Resident),
            Megabytes(running.PeakResident),
            Seconds(running.ProcessorTime),
        ];
        Console.WriteLine($"| {string.Join(" | ", cells)} |");
    }

    private static ImageContent Image(string app, string name, Dictionary<string, string> environment)
    {
        // A native executable is either all there is, or the start of a program whose runtime is beside it, or of the machine's.
        var isFrameworkDependent = File.Exists(Path.Combine(app, name + ".dll")) && !File.Exists(Path.Combine(app, "libclrjit.so"));
        return new ImageContent(
            app,
            isFrameworkDependent ? ["dotnet", $"/app/{name}.dll"] : [$"/app/{name}"],
            65532,
            environment,
            isFrameworkDependent
        );
    }

    private static long SizeOf(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length);

    // What the image aspnet holds of .NET.
    private static long RuntimeSize() =>
        new[] { "Microsoft.NETCore.App", "Microsoft.AspNetCore.App" }.Sum(framework =>
            SizeOf(Path.Combine(ImageProcess.RuntimeFolder(), "shared", framework, Environment.Version.ToString()))
        );

    private static string Megabytes(long bytes) => (bytes / 1_000_000.0).ToString("N0", CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("N1", CultureInfo.InvariantCulture);

    private static async Task CreateRoutesAsync(PublishedPair pair, int routes)
    {
        var cluster = (EmbeddedSandboxCluster)pair.Sandbox.Tenants[0].Cluster;
        using var tenant = cluster.CreateClient("benchmark");
        await tenant.CustomObjects.CreateNamespacedCustomObjectAsync(
            TenantObjects.Gateway(),
            TenantObjects.Group,
            "v1",
            "default",
            "gateways"
        );
        await Parallel.ForEachAsync(
            Enumerable.Range(0, routes),
            new ParallelOptions { MaxDegreeOfParallelism = Callers },
            async (i, cancellationToken) =>
            {
                await TenantObjects.CreateServiceAsync(tenant, $"r{i}", cancellationToken);
                await TenantObjects.CreateRouteAsync(tenant, $"r{i}", $"r{i}", cancellationToken);
            }
        );
        await AtRest.WaitAsync(Quiet, cluster.Server, ((EmbeddedSandboxCluster)pair.Sandbox.Management).Server);
        using var management = pair.Sandbox.Management.CreateClient("benchmark");
        var generated = (System.Text.Json.JsonElement)
            await management.CustomObjects.ListNamespacedCustomObjectAsync(
                TenantObjects.Group,
                "v1",
                pair.Sandbox.Tenants[0].Namespace,
                "httproutes"
            );
        if (generated.GetProperty("items").GetArrayLength() is var count && count != routes)
        {
            throw new InvalidOperationException(
                $"{routes:N0} HTTPRoutes were created, but {count:N0} are generated in the management cluster."
            );
        }
    }

    private sealed class PairLimits : IDisposable
    {
        public ResourceLimits Manager { get; } = ResourceLimits.Create(Millicores, Limit);

        public ResourceLimits Ccm { get; } = ResourceLimits.Create(Millicores, Limit);

        public void Dispose()
        {
            Manager.Dispose();
            Ccm.Dispose();
        }
    }
}
