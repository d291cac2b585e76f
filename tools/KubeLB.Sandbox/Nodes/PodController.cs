using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>
/// The scheduler and kubelet of the simulated node: every pod runs, is ready and has an address at once. Pods that are real processes are
/// left to <see cref="ProcessPodController"/>.
/// </summary>
internal sealed class PodController(
    [FromKeyedServices(NodeHost.Cluster)] Cluster cluster,
    PodApi api,
    SimulatedNode node,
    LoopbackAddresses addresses,
    PodAddresses published,
    PodPorts running,
    ProxyProcesses? processes = null
) : IReconciler
{
    private static readonly string[] ConditionTypes = ["PodScheduled", "Initialized", "ContainersReady", "Ready"];

    /// <inheritdoc/>
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var pod = cluster.Informer<V1Pod>().Get(key);
        if (processes is not null && (pod is null ? processes.Has(key) : ProxyProcesses.Runs(pod)))
        {
            return ReconcileResult.Done;
        }

        if (pod?.Uid() != running.UidOf(key) || pod?.Metadata.DeletionTimestamp is not null)
        {
            if (await running.StopAsync(key).ConfigureAwait(false) is { } free)
            {
                addresses.Return(free);
            }
        }

        if (pod is null)
        {
            return ReconcileResult.Done;
        }

        if (pod.Metadata.DeletionTimestamp is not null)
        {
            // The kubelet's confirmation that the containers have ended.
            await api.ConfirmEndAsync(pod, cancellationToken).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        if (string.IsNullOrEmpty(pod.Spec.NodeName))
        {
            var bind = new JsonObject { ["spec"] = new JsonObject { ["nodeName"] = node.Name } };
            pod = await cluster.Client<V1Pod>().MergePatchAsync(key, bind, cancellationToken).ConfigureAwait(false);
            cluster.Informer<V1Pod>().Observe(pod);
        }

        var address = running.AddressOf(key) ?? addresses.Take();
        var services = cluster.Informer<V1Service>().ByIndex(NodeHost.ByNamespace, key.Namespace);
        var echo = new EchoPod(node.Cluster, key.Namespace, key.Name, node.Name, address);
        await running.RunAsync(key, pod.Uid(), echo, PodPorts.Wanted(pod, services)).ConfigureAwait(false);

        var shown = published.Publish(address).ToString();
        if (pod.Status?.Phase != "Running" || pod.Status.PodIP != shown)
        {
            await api.WriteStatusAsync(pod, Status(pod, shown), cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }

    private V1PodStatus Status(V1Pod pod, string address)
    {
        var now = DateTime.UtcNow;
        return new V1PodStatus
        {
            Phase = "Running",
            PodIP = address,
            PodIPs = [new V1PodIP { Ip = address }],
            HostIP = node.Address.ToString(),
            HostIPs = [new V1HostIP { Ip = node.Address.ToString() }],
            StartTime = now,
            QosClass = PodQuality.Of(pod),
            Conditions =
            [
                .. ConditionTypes.Select(type => new V1PodCondition
                {
                    Type = type,
                    Status = "True",
                    LastTransitionTime = now,
                }),
            ],
            ContainerStatuses =
            [
                .. (pod.Spec.Containers ?? []).Select(container => new V1ContainerStatus
                {
                    Name = container.Name,
                    Image = container.Image ?? "",
                    ImageID = "",
                    ContainerID = $"echo://{pod.Uid()}-{container.Name}",
                    Ready = true,
                    Started = true,
                    RestartCount = 0,
                    State = new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = now } },
                }),
            ],
        };
    }
}
