using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Tests.Shared;

/// <summary>
/// A manager and a CCM from images, against embedded clusters that this process serves, with a simulated node and a stand-in for Envoy
/// Gateway.
/// </summary>
internal sealed class PublishedPair : IAsyncDisposable
{
    private const string Tenant = "t1";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _written = Directory.CreateTempSubdirectory("kubelb-pair-");
    private readonly DirectoryInfo _shared = Directory.CreateTempSubdirectory("kubelb-kubeconfigs-");
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly List<PublishedController> _controllers = [];

    private PublishedPair() { }

    /// <summary>The clusters.</summary>
    public SandboxEnvironment Sandbox { get; private set; } = null!;

    /// <summary>Starts the clusters, with one tenant and neither controller.</summary>
    public static async Task<PublishedPair> StartAsync()
    {
        var pair = new PublishedPair();
        pair.Sandbox = await SandboxEnvironment.StartAsync(
            new SandboxOptions { StartControllers = false, KubeconfigDirectory = pair._written.FullName }
        );

        // The image's user reads what is in here; kubeconfigs belong to root otherwise.
        SetMode(
            pair._shared.FullName,
            UnixFileMode.UserRead
                | UnixFileMode.UserWrite
                | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute
                | UnixFileMode.OtherExecute
        );
        pair.Share("management", pair.Sandbox.Management.KubeconfigYaml);
        pair.Share("tenant", pair.Sandbox.Tenants[0].Cluster.KubeconfigYaml);
        return pair;
    }

    /// <summary>Starts a manager and waits until it is ready.</summary>
    public Task<PublishedController> StartManagerAsync(ImageContent image, ResourceLimits? limits) =>
        StartAsync(
            "manager",
            image,
            limits,
            "--kubeconfig",
            "/kubeconfigs/management",
            "--enable-gateway-api",
            "--listen-address",
            "127.0.0.1:0"
        );

    /// <summary>Waits for the kubeconfig that the manager writes for the tenant, starts a CCM and waits until it is ready.</summary>
    public async Task<PublishedController> StartCcmAsync(ImageContent image, ResourceLimits? limits)
    {
        var kubeconfig = Path.Combine(_written.FullName, $"ccm-{Tenant}.kubeconfig");
        var deadline = Stopwatch.StartNew();
        while (!File.Exists(kubeconfig))
        {
            if (deadline.Elapsed > Timeout)
            {
                throw new TimeoutException($"The manager wrote no kubeconfig for the tenant. {Describe()}");
            }

            await Task.Delay(Pause);
        }

        Share("kubelb", await File.ReadAllTextAsync(kubeconfig));
        return await StartAsync(
            "ccm",
            image,
            limits,
            "--cluster-name",
            Tenant,
            "--kubeconfig",
            "/kubeconfigs/tenant",
            "--kubelb-kubeconfig",
            "/kubeconfigs/kubelb",
            "--enable-gateway-api"
        );
    }

    /// <summary>What both controllers wrote, for a failed test.</summary>
    public string Describe() =>
        string.Join(
            '\n',
            _controllers.Select(c =>
                $"{c.Name} (exit code {c.Process.ExitCode?.ToString(CultureInfo.InvariantCulture) ?? "none"})"
                + $":\n{c.Process.Error}{c.Process.Output}"
            )
        );

    /// <summary>Ends both controllers, then the clusters.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var controller in _controllers)
        {
            await controller.Process.DisposeAsync();
        }

        await Sandbox.DisposeAsync();
        _http.Dispose();
        _written.Delete(recursive: true);
        _shared.Delete(recursive: true);
    }

    private async Task<PublishedController> StartAsync(string name, ImageContent image, ResourceLimits? limits, params string[] arguments)
    {
        var (probes, metrics) = (FreePort(), FreePort());
        var watch = Stopwatch.StartNew();
        var process = ImageProcess.Start(
            image,
            _shared.FullName,
            limits,
            [.. arguments, "--health-probe-bind-address", $"127.0.0.1:{probes}", "--metrics-addr", $"127.0.0.1:{metrics}"]
        );
        var controller = new PublishedController(name, process, new Uri($"http://127.0.0.1:{metrics}/metrics"));
        _controllers.Add(controller);
        var ready = new Uri($"http://127.0.0.1:{probes}/readyz");
        while (!await IsReadyAsync(ready))
        {
            if (watch.Elapsed > Timeout || process.ExitCode is not null)
            {
                throw new TimeoutException($"The {name} is not ready after {watch.Elapsed.TotalSeconds:0} s. {Describe()}");
            }

            await Task.Delay(Pause);
        }

        return controller with
        {
            ReadyAfter = watch.Elapsed,
            ProcessorTimeUntilReady = controller.ProcessorTime,
        };
    }

    private async Task<bool> IsReadyAsync(Uri address)
    {
        try
        {
            using var answer = await _http.GetAsync(address);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            // Nothing listens yet, or the answer takes too long.
            return false;
        }
    }

    private void Share(string name, string kubeconfig)
    {
        var file = Path.Combine(_shared.FullName, name);
        File.WriteAllText(file, kubeconfig);
        SetMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A controller that runs from an image.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Process">Its process.</param>
/// <param name="Metrics">Where it serves its metrics.</param>
internal sealed record PublishedController(string Name, ImageProcess Process, Uri Metrics)
{
    /// <summary>From the start of the container to the first positive answer of <c>/readyz</c>.</summary>
    public TimeSpan ReadyAfter { get; init; }

    /// <summary>Processor time that it had used by then.</summary>
    public TimeSpan ProcessorTimeUntilReady { get; init; }

    /// <summary>Processor time that it has used so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            using var process = System.Diagnostics.Process.GetProcessById(Process.Id);
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory in bytes.</summary>
    public long Resident => Status("VmRSS");

    /// <summary>The most resident memory that it ever had, in bytes.</summary>
    public long PeakResident => Status("VmHWM");

    private long Status(string name)
    {
        var line = File.ReadLines($"/proc/{Process.Id}/status").Single(l => l.StartsWith(name + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }
}
