using System.Net;
using k8s.Models;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>The state of a pod with one container. Immutable.</summary>
internal sealed record PodState
{
    private const string True = "True";
    private const string False = "False";

    /// <summary>The pod's address; null before its network is created.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>Start time of the process; null if none is running.</summary>
    public DateTime? RunningSince { get; init; }

    /// <summary>Id of the process; null if none is running.</summary>
    public int? ProcessId { get; init; }

    /// <summary>Reason of the waiting state.</summary>
    public string WaitingFor { get; init; } = "ContainerCreating";

    /// <summary>Message of the waiting state.</summary>
    public string? Message { get; init; }

    /// <summary>Whether the startup probe has succeeded.</summary>
    public bool IsStarted { get; init; }

    /// <summary>Whether the container is ready.</summary>
    public bool IsReady { get; init; }

    /// <summary>Number of restarts.</summary>
    public int Restarts { get; init; }

    /// <summary>Termination state of the last process; null if there is none.</summary>
    public V1ContainerStateTerminated? Last { get; init; }

    /// <summary>The pod's status.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="hostAddress">Address of its node.</param>
    /// <param name="published">The published address of the pod.</param>
    /// <param name="quality">The QoS class of the pod.</param>
    public V1PodStatus Describe(V1Pod pod, IPAddress hostAddress, Func<IPAddress, IPAddress> published, string quality)
    {
        var container = pod.Spec.Containers[0];
        var address = Address is null ? null : $"{published(Address)}";
        var isReady = IsReady && RunningSince is not null;
        return new V1PodStatus
        {
            Phase = RunningSince is null && Last is null ? "Pending" : "Running",
            PodIP = address,
            PodIPs = address is null ? null : [new V1PodIP { Ip = address }],
            HostIP = $"{hostAddress}",
            HostIPs = [new V1HostIP { Ip = $"{hostAddress}" }],
            StartTime = pod.Status?.StartTime ?? DateTime.UtcNow,
            QosClass = quality,
            Conditions =
            [
                Condition(pod, "PodScheduled", true),
                Condition(pod, "Initialized", true),
                Condition(pod, "ContainersReady", isReady),
                Condition(pod, "Ready", isReady),
            ],
            ContainerStatuses =
            [
                new V1ContainerStatus
                {
                    Name = container.Name,
                    Image = container.Image ?? "",
                    ImageID = "",
                    ContainerID = RunningSince is null ? null : $"process://{pod.Uid()}-{Restarts}",
                    Ready = isReady,
                    Started = IsStarted && RunningSince is not null,
                    RestartCount = Restarts,
                    LastState = Last is null ? new V1ContainerState() : new V1ContainerState { Terminated = Last },
                    State = RunningSince is { } since
                        ? new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = since } }
                        : new V1ContainerState
                        {
                            Waiting = new V1ContainerStateWaiting { Reason = WaitingFor, Message = Message },
                        },
                },
            ],
        };
    }

    private static V1PodCondition Condition(V1Pod pod, string type, bool holds)
    {
        var before = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
        var status = holds ? True : False;
        return new V1PodCondition
        {
            Type = type,
            Status = status,
            Reason = holds ? null : "ContainersNotReady",
            LastTransitionTime = before?.Status == status ? before.LastTransitionTime : DateTime.UtcNow,
        };
    }
}

/// <summary>Status updates of a kubelet.</summary>
internal interface IPodApi
{
    /// <summary>Writes the pod's status, unless the pod was deleted.</summary>
    Task WriteStatusAsync(V1Pod pod, PodState state, CancellationToken cancellationToken);

    /// <summary>Deletes a terminating pod whose containers have terminated.</summary>
    Task ConfirmEndAsync(V1Pod pod, CancellationToken cancellationToken);
}
