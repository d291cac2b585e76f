using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using k8s.Models;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Pods;

namespace KubeLB.Sandbox.Nodes;

/// <summary>The running side of a cluster's pods: their addresses and the echo backends that serve their ports.</summary>
internal sealed class PodPorts(EchoBackends? backends)
{
    private readonly ConcurrentDictionary<ResourceKey, (string Uid, EchoPod Pod)> _running = new();

    /// <summary>The ports that a pod should serve: those that its containers declare, otherwise those that Services send to.</summary>
    public static IReadOnlyCollection<int> Wanted(V1Pod pod, IEnumerable<V1Service> services)
    {
        var declared = pod
            .Spec?.Containers?.SelectMany(c => c.Ports ?? [])
            .Where(p => p.Protocol is null or "" or "TCP")
            .Select(p => p.ContainerPort)
            .ToHashSet();
        return declared is { Count: > 0 }
            ? declared
            : services
                .Where(service => EndpointSelection.Selects(service, pod))
                .SelectMany(service => service.Spec.Ports ?? [])
                .Where(port =>
                    port.TargetPort is null || int.TryParse(port.TargetPort.Value, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                )
                .Select(port => EndpointSelection.TargetPort(port, pod)!.Value)
                .ToHashSet();
    }

    /// <summary>The address of the running pod of that name; null if none runs.</summary>
    public IPAddress? AddressOf(ResourceKey pod) => _running.TryGetValue(pod, out var running) ? running.Pod.Address : null;

    /// <summary>The UID of the running pod of that name; null if none runs.</summary>
    public string? UidOf(ResourceKey pod) => _running.TryGetValue(pod, out var running) ? running.Uid : null;

    /// <summary>Makes sure that a pod runs and serves its ports.</summary>
    public async Task RunAsync(ResourceKey key, string uid, EchoPod pod, IEnumerable<int> ports)
    {
        pod = _running.GetOrAdd(key, (uid, pod)).Pod;
        if (backends is null)
        {
            return;
        }

        foreach (var port in ports)
        {
            await backends.ListenAsync(pod, port).ConfigureAwait(false);
        }
    }

    /// <summary>Stops a pod.</summary>
    /// <returns>The address that is free now; null if the pod did not run.</returns>
    public async Task<IPAddress?> StopAsync(ResourceKey key)
    {
        if (!_running.TryRemove(key, out var running))
        {
            return null;
        }

        if (backends is not null)
        {
            await backends.StopAsync(running.Pod).ConfigureAwait(false);
        }

        return running.Pod.Address;
    }

    /// <summary>Where an endpoint really listens.</summary>
    public IPEndPoint Resolve(IPAddress address, int port, string pod) =>
        backends?.Resolve(address, port, pod) ?? new IPEndPoint(address, port);
}
