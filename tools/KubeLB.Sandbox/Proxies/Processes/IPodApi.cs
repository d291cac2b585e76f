using k8s.Models;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>What a kubelet tells the API server of a pod.</summary>
internal interface IPodApi
{
    /// <summary>Writes the pod's status; nothing happens if the pod is gone.</summary>
    Task WriteStatusAsync(V1Pod pod, PodState state, CancellationToken cancellationToken);

    /// <summary>Confirms that the containers of a deleted pod have ended, which removes it.</summary>
    Task ConfirmEndAsync(V1Pod pod, CancellationToken cancellationToken);
}
