using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using k8s.Models;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// A network namespace for each pod, created with <c>ip</c>: a veth pair, one host route in each direction, and in the namespace a route
/// for 127.0.0.0/8 except 127.0.0.1 to the sandbox, whose nodes and Services have such addresses. The routing of the machine is not
/// changed.
/// </summary>
internal sealed class NamespaceNetworks : IPodNetworks
{
    private const string Prefix = "kubelb-";
    private const int ClaimPort = 61932;
    private const int Blocks = 512;
    private const int PairsInBlock = 126;

    private static readonly string? Ip = ChildProcesses.Find("ip");
    private static readonly SemaphoreSlim Cleaning = new(1, 1);
    private static bool _isClean;
    private static int _lastNumber;

    private readonly Lock _gate = new();
    private readonly List<Socket> _claims = [];
    private readonly Queue<(IPAddress Host, IPAddress Pod)> _free = new();
    private readonly ConcurrentDictionary<Network, byte> _networks = new();
    public bool AreIsolated => true;
    public string Description => "each in its own network namespace";

    /// <summary>Checks whether namespaces can be created, and removes those of killed sandboxes.</summary>
    /// <returns>The networks; null without permission, <c>ip</c> or kernel support.</returns>
    public static async Task<NamespaceNetworks?> TryStartAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || Ip is null || !Environment.IsPrivilegedProcess)
        {
            return null;
        }

        await RemoveLeftoversAsync(cancellationToken).ConfigureAwait(false);
        var networks = new NamespaceNetworks();
        try
        {
            await using var probe = await networks
                .CreateAsync(new V1Pod { Spec = new V1PodSpec() }, cancellationToken)
                .ConfigureAwait(false);
            return networks;
        }
        catch (IOException)
        {
            await networks.DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }

    public async Task<IPodNetwork> CreateAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _lastNumber);
        var network = new Network(
            this,
            $"{Prefix}{Environment.ProcessId}-{number}",
            $"kl{Environment.ProcessId}-{number % 100_000}",
            TakePair()
        );
        _networks.TryAdd(network, 0);
        try
        {
            await network.CreateAsync(pod.Spec.SecurityContext?.Sysctls ?? [], cancellationToken).ConfigureAwait(false);
            return network;
        }
        catch
        {
            await network.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var network in _networks.Keys)
        {
            await network.DisposeAsync().ConfigureAwait(false);
        }

        lock (_gate)
        {
            _claims.ForEach(claim => claim.Dispose());
            _claims.Clear();
        }
    }

    /// <summary>Removes namespaces of killed sandboxes, if permitted.</summary>
    public static Task TryRemoveLeftoversAsync(CancellationToken cancellationToken) =>
        OperatingSystem.IsLinux() && Ip is not null && Environment.IsPrivilegedProcess
            ? RemoveLeftoversAsync(cancellationToken)
            : Task.CompletedTask;

    /// <summary>Removes namespaces of killed sandboxes, with their processes and interfaces.</summary>
    internal static async Task RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        await Cleaning.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var (_, list) = await ChildProcesses.RunAsync([Ip!, "netns", "list"], cancellationToken).ConfigureAwait(false);
            foreach (var name in list.Split('\n').Select(line => line.Split(' ')[0]).Where(IsLeftover))
            {
                var (_, processes) = await ChildProcesses.RunAsync([Ip!, "netns", "pids", name], cancellationToken).ConfigureAwait(false);
                foreach (var id in processes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    Signals.Kill(int.Parse(id, CultureInfo.InvariantCulture));
                }

                // Another sandbox may remove it concurrently.
                await ChildProcesses.RunAsync([Ip!, "netns", "del", name], cancellationToken).ConfigureAwait(false);
            }

            _isClean = true;
        }
        finally
        {
            Cleaning.Release();
        }
    }

    private static bool IsLeftover(string name)
    {
        var parts = name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..].Split('-') : [];
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && (id == Environment.ProcessId ? !_isClean : !Directory.Exists($"/proc/{id}"));
    }

    // 198.18.0.0/15 is reserved for benchmarks (RFC 2544), so it does not conflict with the networks of the machine.
    private (IPAddress Host, IPAddress Pod) TakePair()
    {
        lock (_gate)
        {
            if (_free.Count == 0)
            {
                ClaimBlock();
            }

            return _free.Dequeue();
        }
    }

    private void ClaimBlock()
    {
        for (var attempt = 0; attempt < Blocks; attempt++)
        {
            // Starts at the process id, and is claimed in the same way as blocks of loopback addresses.
            var block = (Environment.ProcessId + attempt) % Blocks;
            var (high, low) = ((byte)(18 + (block / 256)), (byte)(block % 256));
            var claim = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = true };
            try
            {
                claim.Bind(new IPEndPoint(new IPAddress([127, high, low, 254]), ClaimPort));
                claim.Listen();
            }
            catch (SocketException)
            {
                claim.Dispose();
                continue;
            }

            _claims.Add(claim);
            for (var pair = 1; pair <= PairsInBlock; pair++)
            {
                _free.Enqueue((new IPAddress([198, high, low, (byte)(pair * 2)]), new IPAddress([198, high, low, (byte)((pair * 2) + 1)])));
            }

            return;
        }

        throw new IOException("No free address block in 198.18.0.0/15: too many sandboxes run on this machine. Stop one of them.");
    }

    private sealed class Network(NamespaceNetworks networks, string name, string link, (IPAddress Host, IPAddress Pod) pair) : IPodNetwork
    {
        private int _isDisposed;

        public IPAddress Address => pair.Pod;

        public IPAddress Loopback => IPAddress.Loopback;

        public IReadOnlyList<string> Within => [Ip!, "netns", "exec", name];

        public async Task CreateAsync(IEnumerable<V1Sysctl> settings, CancellationToken cancellationToken)
        {
            var (host, pod) = pair;
            await RunAsync(["netns", "add", name]).ConfigureAwait(false);
            await RunAsync(["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name]).ConfigureAwait(false);
            await RunAsync(["addr", "add", $"{host}/32", "dev", link]).ConfigureAwait(false);
            await RunAsync(["link", "set", link, "up"]).ConfigureAwait(false);
            await RunAsync(["route", "add", $"{pod}/32", "dev", link]).ConfigureAwait(false);
            await File.WriteAllTextAsync($"/proc/sys/net/ipv4/conf/{link}/route_localnet", "1", cancellationToken).ConfigureAwait(false);
            await RunAsync(["-n", name, "link", "set", "lo", "up"]).ConfigureAwait(false);
            await RunAsync(["-n", name, "addr", "add", $"{pod}/32", "dev", "eth0"]).ConfigureAwait(false);
            await RunAsync(["-n", name, "link", "set", "eth0", "up"]).ConfigureAwait(false);
            var script = settings
                .Select(s => (Path: s.Name.Replace('.', '/'), s.Value))
                .Prepend((Path: "net/ipv4/conf/eth0/route_localnet", Value: "1"))
                .Select(s =>
                    $"echo '{s.Value.Replace("'", "", StringComparison.Ordinal)}' "
                    + $"> '/proc/sys/{s.Path.Replace("'", "", StringComparison.Ordinal)}'"
                );
            await ChildProcesses
                .ExpectAsync([.. Within, "/bin/sh", "-ec", string.Join('\n', script)], cancellationToken)
                .ConfigureAwait(false);
            await RunAsync(["-n", name, "route", "add", $"{host}/32", "dev", "eth0"]).ConfigureAwait(false);

            // 127.0.0.1 stays local to the pod. The route that the kernel created for it depends on its version.
            await RunAsync(["-n", name, "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local"]).ConfigureAwait(false);
            await RunAsync(["-n", name, "route", "replace", "local", "127.0.0.1/32", "dev", "lo", "table", "local"]).ConfigureAwait(false);
            await RunAsync(["-n", name, "route", "add", "127.0.0.0/8", "via", $"{host}", "dev", "eth0", "src", $"{pod}"])
                .ConfigureAwait(false);

            Task RunAsync(string[] arguments) => ChildProcesses.ExpectAsync([Ip!, .. arguments], cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            {
                return;
            }

            // The interface first: otherwise it exists until the kernel has cleaned up the namespace.
            await ChildProcesses.RunAsync([Ip!, "link", "del", link], CancellationToken.None).ConfigureAwait(false);
            await ChildProcesses.RunAsync([Ip!, "netns", "del", name], CancellationToken.None).ConfigureAwait(false);
            networks._networks.TryRemove(this, out _);
            lock (networks._gate)
            {
                networks._free.Enqueue(pair);
            }
        }
    }
}
