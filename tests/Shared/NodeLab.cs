using System.Diagnostics;
using System.Text.Json.Nodes;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf;
using KubeLB.Manager.Tests.Proxies.Golden;

namespace KubeLB.Tests.Shared;

/// <summary>
/// A tenant's Envoy in a network namespace of its own, for which addresses of this machine's loopback network are nodes. A node vanishes
/// when the namespace's packets to it are dropped: there is neither a reset nor a response. Needs root and the program ip.
/// </summary>
internal sealed class NodeLab : IAsyncDisposable
{
    private const string Nowhere = "77";
    private const int AdminPort = 9901;

    private readonly string _folder = Directory.CreateTempSubdirectory("kblab-").FullName;
    private readonly int _number;
    private Process? _envoy;
    private int _version;

    private NodeLab(int number) => _number = number;

    /// <summary>Where Envoy's listeners are reached from this machine.</summary>
    public string ProxyAddress => $"10.89.{_number}.2";

    private string Namespace => $"kblab{_number}";

    private string Link => $"kblabv{_number}";

    /// <summary>Why it is not available on this machine; null if it is.</summary>
    /// <param name="envoy">Path of Envoy; null where there is none.</param>
    public static string? Missing(string? envoy) =>
        envoy is null ? "no envoy binary: none is on PATH, and KUBELB_ENVOY names none"
        : !OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess ? "network namespaces need root on Linux"
        : Run("ip", "netns", "list") is { ExitCode: not 0 } failed ? $"ip netns does not work: {failed.Error}"
        : null;

    /// <summary>Starts Envoy without listeners.</summary>
    /// <param name="envoy">Path of Envoy.</param>
    public static async Task<NodeLab> StartAsync(string envoy)
    {
        // Other processes may have labs, too.
        var number = Enumerable.Range(1, 250).First(n => Run("ip", "netns", "add", $"kblab{n}").ExitCode == 0);
        var lab = new NodeLab(number);
        try
        {
            lab.Connect();
            await lab.ServeAsync([]);
            await lab.StartEnvoyAsync(envoy);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Address of a node, 1 to 250.</summary>
    public string Node(int number) => $"127.89.{_number}.{number}";

    /// <summary>Configures Envoy to serve exactly these, and waits until it does.</summary>
    public async Task ServeAsync(IReadOnlyList<(Cluster Cluster, Listener Listener)> ports)
    {
        _version++;
        await WriteAsync("cds", ports.Select(p => p.Cluster));
        await WriteAsync("lds", ports.Select(p => p.Listener));
        if (_envoy is not null)
        {
            await HoldsAsync(async () =>
                (await StatsAsync("listener_manager.total_listeners_active")).Values.Single() == ports.Count
                && (await StatsAsync("cluster_manager.active_clusters")).Values.Single() == ports.Count
            );
        }
    }

    /// <summary>Drops all packets to a node, or to a port of it, of new and open connections.</summary>
    public void Drop(string node, int? port = null) => Rule("add", node, port);

    /// <summary>Reverts <see cref="Drop"/>.</summary>
    public void Restore(string node, int? port = null) => Rule("del", node, port);

    /// <summary>Envoy's counters and gauges with a name that holds a text.</summary>
    public async Task<IReadOnlyDictionary<string, long>> StatsAsync(string name)
    {
        using var client = new HttpClient();
        var text = await client.GetStringAsync($"http://{ProxyAddress}:{AdminPort}/stats?filter={Uri.EscapeDataString(name)}&type=All");
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(": "))
            .Where(parts => long.TryParse(parts[^1], out _))
            .ToDictionary(parts => parts[0], parts => long.Parse(parts[^1]));
    }

    /// <summary>Options of Envoy's sockets to nodes, as ss shows them.</summary>
    public string Sockets() => Run("ip", "netns", "exec", Namespace, "ss", "-tnoi").Output;

    public async ValueTask DisposeAsync()
    {
        if (_envoy is not null)
        {
            _envoy.Kill();
            await _envoy.WaitForExitAsync();
            _envoy.Dispose();
        }

        Run("ip", "netns", "del", Namespace);
        Run("ip", "link", "del", Link);
        Directory.Delete(_folder, recursive: true);
    }

    private static (int ExitCode, string Output, string Error) Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments)
                {
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, "", e.Message);
        }
    }

    private static void Ip(string arguments)
    {
        if (Run("ip", arguments.Split(' ')) is { ExitCode: not 0 } failed)
        {
            throw new InvalidOperationException($"ip {arguments}: {failed.Error}");
        }
    }

    private static async Task HoldsAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    // The namespace has one loopback address; the others are this machine's.
    private void Connect()
    {
        const string Host = "10.89.0.1";
        Ip($"link add {Link} type veth peer name eth0 netns {Namespace}");
        Ip($"addr add {Host}/32 dev {Link}");
        Ip($"link set {Link} up");
        Ip($"route add {ProxyAddress}/32 dev {Link}");
        File.WriteAllText($"/proc/sys/net/ipv4/conf/{Link}/route_localnet", "1");
        Ip($"-n {Namespace} link set lo up");
        Ip($"-n {Namespace} addr add {ProxyAddress}/32 dev eth0");
        Ip($"-n {Namespace} link set eth0 up");

        // A link with an unused peer. Packets from an address that is routed there are dropped, too (rp_filter).
        Ip($"-n {Namespace} link add void type veth peer name void-end");
        Ip($"-n {Namespace} link set void arp off up");
        Ip($"-n {Namespace} link set void-end arp off up");
        foreach (
            var (setting, value) in new[]
            {
                ("eth0/route_localnet", 1),
                ("void/route_localnet", 1),
                ("all/rp_filter", 1),
                ("eth0/rp_filter", 1),
                ("all/forwarding", 0),
            }
        )
        {
            Ip($"netns exec {Namespace} sysctl -qw net/ipv4/conf/{setting}={value}");
        }

        Ip($"-n {Namespace} route add {Host}/32 dev eth0");
        Ip($"-n {Namespace} route del local 127.0.0.0/8 dev lo table local");
        Ip($"-n {Namespace} route add 127.0.0.0/8 via {Host} dev eth0 src {ProxyAddress}");
        Ip($"-n {Namespace} route add default dev void table {Nowhere}");
    }

    private void Rule(string action, string node, int? port) =>
        Ip($"-n {Namespace} rule {action} pref 100 to {node}{(port is null ? "" : $" ipproto tcp dport {port}")} lookup {Nowhere}");

    private async Task StartEnvoyAsync(string envoy)
    {
        var bootstrap = new JsonObject
        {
            ["node"] = new JsonObject { ["id"] = "lab", ["cluster"] = "lab" },
            ["admin"] = new JsonObject
            {
                ["address"] = new JsonObject
                {
                    ["socket_address"] = new JsonObject { ["address"] = ProxyAddress, ["port_value"] = AdminPort },
                },
            },
            ["dynamic_resources"] = new JsonObject { ["cds_config"] = Source("cds"), ["lds_config"] = Source("lds") },
        };
        string[] arguments =
        [
            "netns",
            "exec",
            Namespace,
            envoy,
            "--config-yaml",
            bootstrap.ToJsonString(),
            "--concurrency",
            "2",
            "--disable-hot-restart",
            "--log-level",
            "warn",
            "--log-path",
            Path.Combine(_folder, "log"),
        ];
        _envoy = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardOutput = true })!;
        _ = _envoy.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        await HoldsAsync(async () =>
        {
            try
            {
                return (await StatsAsync("server.live")).Values.SingleOrDefault() == 1;
            }
            catch (HttpRequestException) when (!_envoy.HasExited)
            {
                return false;
            }
        });
    }

    private JsonObject Source(string name) =>
        new()
        {
            ["path_config_source"] = new JsonObject { ["path"] = Path.Combine(_folder, name + ".json") },
            ["resource_api_version"] = "V3",
        };

    // Envoy reloads a file when another one is moved over it.
    private async Task WriteAsync(string name, IEnumerable<IMessage> resources)
    {
        var response = new JsonObject
        {
            ["version_info"] = $"{_version}",
            ["resources"] = new JsonArray([.. resources.Select(r => (JsonNode)EnvoyJson.Of(Google.Protobuf.WellKnownTypes.Any.Pack(r)))]),
        };
        var path = Path.Combine(_folder, name + ".json");
        await File.WriteAllTextAsync(path + ".new", response.ToJsonString());
        File.Move(path + ".new", path, overwrite: true);
    }
}
