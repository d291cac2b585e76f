using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Networking;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>
/// The kube-proxy of the simulated node: listens on the TCP node ports of every Service with ready endpoints and forwards to them. Without
/// ready endpoints, connections are refused, and open ones continue.
/// </summary>
internal sealed class NodePortController(
    [FromKeyedServices(NodeHost.Cluster)] Cluster cluster,
    SimulatedNode node,
    PodAddresses published,
    PodPorts pods
) : IReconciler, IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, (ResourceKey Service, string PortName, TcpForwarder Forwarder)> _open = new();
    private readonly ConcurrentDictionary<TcpForwarder, byte> _draining = new();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var service = cluster.Informer<V1Service>().Get(key);
        var desired =
            service?.Metadata.DeletionTimestamp is not null || service?.Spec?.Type is not ("NodePort" or "LoadBalancer")
                ? []
                : (service.Spec.Ports ?? [])
                    .Where(p => p.NodePort > 0 && p.Protocol is null or "" or "TCP")
                    .ToDictionary(p => p.NodePort!.Value, p => p.Name ?? "");

        var served = desired.Where(d => Targets(key, d.Value).Count > 0).ToDictionary();
        foreach (var (nodePort, open) in _open.Where(o => o.Value.Service == key))
        {
            if (served.TryGetValue(nodePort, out var name) && name == open.PortName)
            {
                continue;
            }

            _open.TryRemove(nodePort, out _);
            if (desired.TryGetValue(nodePort, out name) && name == open.PortName)
            {
                Drain(open.Forwarder);
            }
            else
            {
                await open.Forwarder.DisposeAsync().ConfigureAwait(false);
            }
        }

        foreach (var (nodePort, name) in served)
        {
            if (_open.TryGetValue(nodePort, out var open))
            {
                if (open.Service != key)
                {
                    return ReconcileResult.Retry($"node port {nodePort} is still used by Service {open.Service}");
                }

                continue;
            }

            try
            {
                _open[nodePort] = (
                    key,
                    name,
                    TcpForwarder.Start(new IPEndPoint(node.Address, nodePort), () => Targets(key, name), pods.NodePorts)
                );
            }
            catch (SocketException e)
            {
                return ReconcileResult.Retry($"cannot listen on node port {node.Address}:{nodePort} of Service {key}: {e.Message}");
            }
        }

        return ReconcileResult.Done;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var forwarder in _open.Values.Select(o => o.Forwarder).Concat(_draining.Keys))
        {
            await forwarder.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Established connections of kube-proxy continue without endpoints.
    private void Drain(TcpForwarder forwarder)
    {
        _draining.TryAdd(forwarder, 0);
        _ = forwarder
            .DrainAsync(Timeout.InfiniteTimeSpan)
            .ContinueWith(_ => _draining.TryRemove(forwarder, out var _), TaskScheduler.Default);
    }

    private List<IPEndPoint> Targets(ResourceKey service, string portName)
    {
        var targets = new List<IPEndPoint>();
        foreach (var slice in cluster.Informer<V1EndpointSlice>().ByIndex(NodeHost.ByService, service.ToString()))
        {
            var port = slice.Ports?.FirstOrDefault(p => (p.Name ?? "") == portName)?.Port;
            foreach (var endpoint in port is null ? [] : slice.Endpoints ?? [])
            {
                if (endpoint.Conditions?.Ready == false)
                {
                    continue;
                }

                var pod = endpoint.TargetRef is { } reference ? $"{reference.NamespaceProperty}/{reference.Name}" : "";
                targets.AddRange(
                    endpoint
                        .Addresses.Where(a => IPAddress.TryParse(a, out _))
                        .Select(a => pods.Resolve(published.Resolve(IPAddress.Parse(a)), port!.Value, pod))
                );
            }
        }

        return targets;
    }
}
