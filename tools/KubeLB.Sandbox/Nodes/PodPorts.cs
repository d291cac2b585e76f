using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using k8s.Models;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;

namespace KubeLB.Sandbox.Nodes;

/// <summary>The addresses of a cluster's pods and the echo backends that serve their ports.</summary>
internal sealed class PodPorts(EchoBackends? backends)
{
    private readonly ConcurrentDictionary<ResourceKey, (string Uid, EchoPod Pod)> _running = new();

    /// <summary>The ports of a pod: the declared container ports, otherwise the target ports of its Services.</summary>
    public static IReadOnlyCollection<int> RequiredPorts(V1Pod pod, IEnumerable<V1Service> services)
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

    /// <summary>Gets the connections through node ports; null for pods without a server.</summary>
    public ForwardedConnections? NodePorts => backends?.NodePorts;

    /// <summary>The address of the running pod of that name; null if there is none.</summary>
    public IPAddress? AddressOf(ResourceKey pod) => _running.TryGetValue(pod, out var running) ? running.Pod.Address : null;

    /// <summary>The UID of the running pod of that name; null if there is none.</summary>
    public string? UidOf(ResourceKey pod) => _running.TryGetValue(pod, out var running) ? running.Uid : null;

    /// <summary>Starts a pod, and opens and closes its ports.</summary>
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
    /// <returns>The released address; null if the pod was not running.</returns>
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

    /// <summary>The end point that serves an endpoint.</summary>
    public IPEndPoint Resolve(IPAddress address, int port, string pod) =>
        backends?.Resolve(address, port, pod) ?? new IPEndPoint(address, port);
}

/// <summary>
/// Maps the loopback addresses of pods to the addresses in their status. Kubernetes rejects EndpointSlices with loopback addresses: for
/// such an API server, <c>127.a.b.c</c> is published as <c>10.a.b.c</c>.
/// </summary>
/// <param name="loopback">Whether loopback addresses can be published.</param>
internal sealed class PodAddresses(bool loopback)
{
    private const byte Loopback = 127;
    private const byte Private = 10;

    /// <summary>The published address of a pod's loopback address.</summary>
    public IPAddress Publish(IPAddress address) => loopback ? address : Replace(address, Loopback, Private);

    /// <summary>The loopback address of a published address.</summary>
    public IPAddress Resolve(IPAddress published) => loopback ? published : Replace(published, Private, Loopback);

    private static IPAddress Replace(IPAddress address, byte from, byte to)
    {
        var bytes = address.GetAddressBytes();
        if (bytes.Length != 4 || bytes[0] != from)
        {
            return address;
        }

        bytes[0] = to;
        return new IPAddress(bytes);
    }
}
