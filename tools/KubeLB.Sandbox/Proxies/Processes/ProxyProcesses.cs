using System.Collections.Concurrent;
using System.Net;
using k8s.Models;
using KubeLB.Api;
using KubeLB.EmbeddedCluster;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Networking;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>The pods of the tenants' proxies as real Envoy processes.</summary>
internal sealed class ProxyProcesses : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ResourceKey, PodProcess> _pods = new();
    private readonly PodEnvironment _environment;

    private ProxyProcesses(PodEnvironment environment) => _environment = environment;

    /// <summary>
    /// Which Envoy, and how its pods are kept apart: "Envoy 1.40.0 (/usr/bin/envoy), each in a network namespace of its own".
    /// </summary>
    public string Description => $"Envoy {_environment.Program.Version} ({_environment.Program.Path}), {_environment.Networks.Description}";

    /// <summary>Prepares to run proxies.</summary>
    /// <param name="binary">Path of Envoy.</param>
    /// <param name="onlyLoopback">Makes no namespaces even where that is allowed.</param>
    /// <param name="serverName">What the manager's xDS certificate calls it.</param>
    /// <param name="addresses">Gives loopback addresses.</param>
    /// <param name="logger">Takes what happens.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The binary is not an Envoy that can be run, or this machine has one loopback address only.</exception>
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
            throw new IOException("Envoy cannot be used: on this machine only 127.0.0.1 can be listened on; use --stand-in.");
        }

        SecretVolume.RemoveLeftovers();
        IPodNetworks? isolated = onlyLoopback ? null : await NamespaceNetworks.TryStartAsync(cancellationToken).ConfigureAwait(false);
        var networks = isolated ?? new LoopbackNetworks(addresses);
        var plane = await ProxyControlPlane.StartAsync(addresses, serverName, withRelay: !networks.AreIsolated).ConfigureAwait(false);
        return new ProxyProcesses(new PodEnvironment(program, networks, new ChildProcesses(), plane, logger));
    }

    /// <summary>
    /// Removes what sandboxes that were killed have left: namespaces, and folders with certificates. Also for a sandbox without Envoys.
    /// </summary>
    public static async Task RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        SecretVolume.RemoveLeftovers();
        await NamespaceNetworks.TryRemoveLeftoversAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a pod is a proxy's.</summary>
    public static bool Runs(V1Pod pod) =>
        pod.Metadata.Labels?.TryGetValue(Labels.AppManagedBy, out var manager) == true
        && manager == Labels.ManagedByKubelb
        && ProxyCommand.NodeOf(pod.Spec) is not null;

    /// <summary>Where the manager serves from now on; null while it does not.</summary>
    public void Follow(IPEndPoint? manager) => _environment.ControlPlane.Follow(manager);

    /// <summary>Whether there is a process for a pod of that name.</summary>
    public bool Has(ResourceKey key) => _pods.ContainsKey(key);

    /// <summary>Makes the process as the pod is: starts it, lets it end, ends it at once. Calls for one pod must not overlap.</summary>
    /// <param name="key">The pod's name.</param>
    /// <param name="pod">The pod; null if it is gone.</param>
    /// <param name="secret">The Secret that it mounts; null if there is none.</param>
    /// <param name="api">Takes the pod's status.</param>
    /// <param name="cancellationToken">Gives up.</param>
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

    /// <summary>The Secret that a pod mounts; null for none.</summary>
    public static ResourceKey? SecretOf(V1Pod pod) =>
        ProxyCommand.SecretOf(pod.Spec) is { } name ? new ResourceKey(pod.Namespace(), name) : null;

    /// <summary>Output of a pod's container.</summary>
    /// <exception cref="PodLogException">The pod has none.</exception>
    public IAsyncEnumerable<PodLogLine> ReadLogs(PodLogRequest request, CancellationToken cancellationToken)
    {
        if (!_pods.TryGetValue(new ResourceKey(request.Namespace, request.Pod), out var process) || process.Uid != request.Uid)
        {
            throw new PodLogException($"pod \"{request.Pod}\" has no logs: it is simulated, no process runs for it.");
        }

        return (request.Previous ? process.PreviousLog : process.Log)?.ReadAsync(request, cancellationToken)
            ?? throw new PodLogException($"previous terminated container \"{request.Container}\" in pod \"{request.Pod}\" not found");
    }

    /// <summary>Address of a namespace's first pod that is ready; null if none is.</summary>
    public IPAddress? AddressOf(string ns) =>
        _pods
            .Where(p => p.Key.Namespace == ns && p.Value.State.IsReady)
            .OrderBy(p => p.Key.Name, StringComparer.Ordinal)
            .Select(p => p.Value.State.Address)
            .FirstOrDefault();

    /// <summary>The processes of a namespace's pods.</summary>
    public IReadOnlyList<(string Pod, int ProcessId)> ProcessIdsOf(string ns) =>
        [
            .. _pods
                .Where(p => p.Key.Namespace == ns && p.Value.State.ProcessId is not null)
                .Select(p => (p.Key.Name, p.Value.State.ProcessId!.Value)),
        ];

    /// <summary>What the proxies of a namespace have printed.</summary>
    public IReadOnlyList<ProxyLine> OutputOf(string ns) =>
        [
            .. _pods
                .Where(p => p.Key.Namespace == ns)
                .SelectMany(p =>
                    p.Value.Log.Snapshot().Select(line => (line.Time, Line: new ProxyLine(p.Key.Name, p.Value.State.Address, line.Text)))
                )
                .OrderBy(line => line.Time)
                .Select(line => line.Line),
        ];

    /// <summary>Ends all processes at once and removes their networks.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_pods.Values.Select(p => p.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _environment.ControlPlane.DisposeAsync().ConfigureAwait(false);
        await _environment.Networks.DisposeAsync().ConfigureAwait(false);
        _environment.Children.Dispose();
    }
}
