using System.Net;
using System.Text.Json.Nodes;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Networking;
using KubeLB.Sandbox.Pods;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>
/// The scheduler and kubelet of the simulated node: every pod is running and ready immediately. Pods with real processes are handled by
/// <see cref="ProcessPodController"/>.
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
            // Like the kubelet's final delete after the containers terminated.
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
        await running.RunAsync(key, pod.Uid(), echo, PodPorts.RequiredPorts(pod, services)).ConfigureAwait(false);

        var publishedAddress = published.Publish(address).ToString();
        if (pod.Status?.Phase != "Running" || pod.Status.PodIP != publishedAddress)
        {
            await api.WriteStatusAsync(pod, Status(pod, publishedAddress), cancellationToken).ConfigureAwait(false);
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
            QosClass = PodQosClass.Of(pod),
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

/// <summary>The kubelet of pods with real processes: passes each pod and its mounted Secret to its process.</summary>
internal sealed class ProcessPodController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, ProxyProcesses processes, PodApi api)
    : IReconciler
{
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var pod = cluster.Informer<V1Pod>().Get(key);
        if (pod is null ? processes.Has(key) : ProxyProcesses.Runs(pod))
        {
            var secret = pod is not null && ProxyProcesses.SecretOf(pod) is { } name ? cluster.Informer<V1Secret>().Get(name) : null;
            await processes.SyncAsync(key, pod, secret, api, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}

/// <summary>Writes pod statuses, as the kubelet does.</summary>
internal sealed class PodApi(
    [FromKeyedServices(NodeHost.Cluster)] Cluster cluster,
    Applier applier,
    SimulatedNode node,
    PodAddresses published
) : IPodApi
{
    public async Task WriteStatusAsync(V1Pod pod, PodState state, CancellationToken cancellationToken)
    {
        if (cluster.Informer<V1Pod>().Get(ResourceKey.Of(pod)) is { } current && current.Uid() == pod.Uid())
        {
            await WriteStatusAsync(
                    current,
                    state.Describe(current, node.Address, published.Publish, PodQosClass.Of(current)),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
    }

    /// <summary>Writes a pod's status.</summary>
    public async Task WriteStatusAsync(V1Pod current, V1PodStatus status, CancellationToken cancellationToken) =>
        await applier.ApplyStatusAsync(cluster, current, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);

    public async Task ConfirmEndAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        try
        {
            var options = new V1DeleteOptions
            {
                GracePeriodSeconds = 0,
                Preconditions = new V1Preconditions { Uid = pod.Uid() },
            };
            using var answer = await cluster
                .Kubernetes.CoreV1.DeleteNamespacedPodWithHttpMessagesAsync(
                    pod.Name(),
                    pod.Namespace(),
                    options,
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // The pod was deleted or replaced by another one with its name.
        }
    }
}

/// <summary>QoS class of a pod. https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/</summary>
internal static class PodQosClass
{
    private static readonly string[] Counted = ["cpu", "memory"];

    /// <summary>The immutable class in the status; computed if the status has none.</summary>
    public static string Of(V1Pod pod)
    {
        if (pod.Status?.QosClass is { Length: > 0 } stated)
        {
            return stated;
        }

        var resources = (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).Select(c => c.Resources).ToList();
        if (resources.All(r => !HasComputeResources(r?.Requests) && !HasComputeResources(r?.Limits)))
        {
            return "BestEffort";
        }

        return resources.All(r => Counted.All(name => Limit(r, name) is { } limit && (Request(r, name) ?? limit) == limit))
            ? "Guaranteed"
            : "Burstable";
    }

    private static bool HasComputeResources(IDictionary<string, ResourceQuantity>? quantities) =>
        quantities?.Keys.Any(Counted.Contains) == true;

    private static decimal? Limit(V1ResourceRequirements? resources, string name) =>
        resources?.Limits?.TryGetValue(name, out var quantity) == true ? quantity.ToDecimal() : null;

    private static decimal? Request(V1ResourceRequirements? resources, string name) =>
        resources?.Requests?.TryGetValue(name, out var quantity) == true ? quantity.ToDecimal() : null;
}
