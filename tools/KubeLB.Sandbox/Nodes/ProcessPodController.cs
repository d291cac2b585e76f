using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Nodes;

/// <summary>The kubelet of pods that are real processes: hands each pod and the Secret that it mounts to its process.</summary>
internal sealed class ProcessPodController([FromKeyedServices(NodeHost.Cluster)] Cluster cluster, ProxyProcesses processes, PodApi api)
    : IReconciler
{
    /// <inheritdoc/>
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
