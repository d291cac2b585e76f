using System.Net;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>What the kubelet of the simulated node tells the API server of pods.</summary>
internal sealed class PodApi(
    [FromKeyedServices(NodeHost.Cluster)] Cluster cluster,
    Applier applier,
    SimulatedNode node,
    PodAddresses published
) : IPodApi
{
    /// <inheritdoc/>
    public async Task WriteStatusAsync(V1Pod pod, PodState state, CancellationToken cancellationToken)
    {
        if (cluster.Informer<V1Pod>().Get(ResourceKey.Of(pod)) is { } current && current.Uid() == pod.Uid())
        {
            await WriteStatusAsync(
                    current,
                    state.Describe(current, node.Address, published.Publish, PodQuality.Of(current)),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
    }

    /// <summary>Writes a pod's status.</summary>
    public async Task WriteStatusAsync(V1Pod current, V1PodStatus status, CancellationToken cancellationToken) =>
        await applier.ApplyStatusAsync(cluster, current, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
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
            // It is gone, or another one of its name is there by now.
        }
    }
}
