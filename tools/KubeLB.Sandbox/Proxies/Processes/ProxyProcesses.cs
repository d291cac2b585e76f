using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using k8s.Models;
using KubeLB.Api;
using KubeLB.EmbeddedCluster;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Networking;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>The pods of the tenant proxies as real Envoy processes.</summary>
internal sealed class ProxyProcesses : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ResourceKey, PodProcess> _pods = new();
    private readonly PodEnvironment _environment;

    private ProxyProcesses(PodEnvironment environment) => _environment = environment;

    /// <summary>Description: "Envoy 1.40.0 (/usr/bin/envoy), each in its own network namespace".</summary>
    public string Description => $"Envoy {_environment.Program.Version} ({_environment.Program.Path}), {_environment.Networks.Description}";

    /// <summary>Prepares to run proxies.</summary>
    /// <param name="binary">Path of Envoy.</param>
    /// <param name="onlyLoopback">Creates no namespaces even if permitted.</param>
    /// <param name="serverName">Server name in the manager's xDS certificate.</param>
    /// <param name="addresses">Allocates loopback addresses.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="IOException">The binary cannot be run or is not Envoy, or this machine has only one loopback address.</exception>
    public static async Task<ProxyProcesses> StartAsync(
        string binary,
        bool onlyLoopback,
        string serverName,
        LoopbackAddresses addresses,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        var program = await EnvoyProgram.ReadAsync(binary, cancellationToken).ConfigureAwait(false);
        if (addresses.IsShared)
        {
            throw new IOException("Cannot run Envoy: only 127.0.0.1 can be bound on this machine. Use --stand-in.");
        }

        SecretVolume.RemoveLeftovers();
        IPodNetworks? isolated = onlyLoopback ? null : await NamespaceNetworks.TryStartAsync(cancellationToken).ConfigureAwait(false);
        var networks = isolated ?? new LoopbackNetworks(addresses);
        var plane = await ProxyControlPlane.StartAsync(addresses, serverName, withRelay: !networks.AreIsolated).ConfigureAwait(false);
        return new ProxyProcesses(new PodEnvironment(program, networks, new ChildProcesses(), plane, logger));
    }

    /// <summary>
    /// Removes the network namespaces and certificate directories of killed sandboxes. Also called by a sandbox without Envoys.
    /// </summary>
    public static async Task RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        SecretVolume.RemoveLeftovers();
        await NamespaceNetworks.TryRemoveLeftoversAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a pod is a proxy.</summary>
    public static bool Runs(V1Pod pod) =>
        pod.Metadata.Labels?.TryGetValue(Labels.AppManagedBy, out var manager) == true
        && manager == Labels.ManagedByKubelb
        && ProxyCommand.NodeOf(pod.Spec) is not null;

    /// <summary>Sets the end point of the manager; null if it is not running.</summary>
    public void Follow(IPEndPoint? manager) => _environment.ControlPlane.Follow(manager);

    /// <summary>Whether a process exists for a pod.</summary>
    public bool Has(ResourceKey key) => _pods.ContainsKey(key);

    /// <summary>Reconciles the process with its pod: start, graceful termination, kill. Calls for one pod must not overlap.</summary>
    /// <param name="key">The pod's name.</param>
    /// <param name="pod">The pod; null if it was deleted.</param>
    /// <param name="secret">The mounted Secret; null if it does not exist.</param>
    /// <param name="api">Writes the pod's status.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task SyncAsync(ResourceKey key, V1Pod? pod, V1Secret? secret, IPodApi api, CancellationToken cancellationToken)
    {
        if (_pods.TryGetValue(key, out var process) && process.Uid != pod?.Uid())
        {
            _pods.TryRemove(key, out _);
            await process.DisposeAsync().ConfigureAwait(false);
            process = null;
        }

        if (pod?.Metadata.DeletionTimestamp is not null)
        {
            if (process is null)
            {
                await api.ConfirmEndAsync(pod, cancellationToken).ConfigureAwait(false);
            }

            process?.End(TimeSpan.FromSeconds(pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30));
            return;
        }

        if (pod is not null)
        {
            process ??= _pods[key] = new PodProcess(pod, _environment, api);
            if (secret is not null)
            {
                await process.MountAsync(secret, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The mounted Secret of a pod; null for none.</summary>
    public static ResourceKey? SecretOf(V1Pod pod) =>
        ProxyCommand.SecretOf(pod.Spec) is { } name ? new ResourceKey(pod.Namespace(), name) : null;

    /// <summary>Log of a pod's container.</summary>
    /// <exception cref="PodLogException">The pod has no log.</exception>
    public IAsyncEnumerable<PodLogLine> ReadLogs(PodLogRequest request, CancellationToken cancellationToken)
    {
        if (!_pods.TryGetValue(new ResourceKey(request.Namespace, request.Pod), out var process) || process.Uid != request.Uid)
        {
            throw new PodLogException(SandboxEnvironment.SimulatedPodLogs);
        }

        return (request.Previous ? process.PreviousLog : process.CurrentLog)?.ReadAsync(request, cancellationToken)
            ?? throw new PodLogException($"previous terminated container \"{request.Container}\" in pod \"{request.Pod}\" not found");
    }

    /// <summary>Address of the first ready pod of a namespace; null if none is ready.</summary>
    public IPAddress? AddressOf(string ns) =>
        _pods
            .Where(p => p.Key.Namespace == ns && p.Value.State.IsReady)
            .OrderBy(p => p.Key.Name, StringComparer.Ordinal)
            .Select(p => p.Value.State.Address)
            .FirstOrDefault();

    /// <summary>Address of a pod; null if it has no process.</summary>
    public IPAddress? AddressOf(string ns, string pod, string uid) =>
        _pods.TryGetValue(new ResourceKey(ns, pod), out var process) && process.Uid == uid ? process.State.Address : null;

    /// <summary>Name of the pod with an address; null if there is none.</summary>
    public string? PodOf(IPAddress address) =>
        _pods.Where(p => address.Equals(p.Value.State.Address)).Select(p => p.Key.Name).FirstOrDefault();

    /// <summary>The processes of a namespace's pods.</summary>
    public IReadOnlyList<(string Pod, int ProcessId)> ProcessIdsOf(string ns) =>
        [
            .. _pods
                .Where(p => p.Key.Namespace == ns && p.Value.State.ProcessId is not null)
                .Select(p => (p.Key.Name, p.Value.State.ProcessId!.Value)),
        ];

    /// <summary>The output of the proxies of a namespace.</summary>
    public IReadOnlyList<ProxyLogLine> OutputOf(string ns) =>
        [
            .. _pods
                .Where(p => p.Key.Namespace == ns)
                .SelectMany(p =>
                    p.Value.CurrentLog.Snapshot()
                        .Select(line => (line.Time, Line: new ProxyLogLine(p.Key.Name, p.Value.State.Address, line.Text)))
                )
                .OrderBy(line => line.Time)
                .Select(line => line.Line),
        ];

    /// <summary>Kills all processes and removes their networks.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_pods.Values.Select(p => p.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _environment.ControlPlane.DisposeAsync().ConfigureAwait(false);
        await _environment.Networks.DisposeAsync().ConfigureAwait(false);
        _environment.Children.Dispose();
    }
}

/// <summary>An Envoy binary.</summary>
/// <param name="Path">The binary.</param>
/// <param name="Version">Its version, for example <c>1.40.0</c>.</param>
internal sealed partial record EnvoyProgram(string Path, string Version)
{
    /// <summary>Environment variable with the path of Envoy.</summary>
    public const string Variable = "KUBELB_ENVOY";

    private const string Remedy = $"set the path of an Envoy binary with --envoy or {Variable}.";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>The binary of <see cref="Variable"/>, else the first <c>envoy</c> on PATH; null if there is none.</summary>
    public static string? Find() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : ChildProcesses.Find("envoy");

    /// <summary>Reads the version of a binary.</summary>
    /// <exception cref="IOException">It cannot be run, or is not Envoy.</exception>
    public static async Task<EnvoyProgram> ReadAsync(string path, CancellationToken cancellationToken)
    {
        path = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(path))
        {
            throw new IOException($"{path} is a directory; {Remedy}");
        }

        if (!File.Exists(path))
        {
            throw new IOException($"{path} does not exist; {Remedy}");
        }

        string output;
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(path, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(Timeout);
            try
            {
                output = await process.StandardOutput.ReadToEndAsync(timeout.Token).ConfigureAwait(false);
                await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }
            }
        }
        catch (Exception e) when (e is Win32Exception or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{path} cannot be run ({e.Message}); {Remedy}", e);
        }

        return VersionPattern().Match(output) is { Success: true } match
            ? new EnvoyProgram(path, match.Groups["version"].Value)
            : throw new IOException($"{path} is not an Envoy binary: its --version output has no Envoy version; {Remedy}");
    }

    // envoy  version: 9e55…/1.40.0/Clean/RELEASE/BoringSSL
    [GeneratedRegex(@"version: [0-9a-f]+/(?<version>[0-9][^/\s]*)/")]
    private static partial Regex VersionPattern();
}
