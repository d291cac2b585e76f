using System.Net;
using k8s.Models;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>What the kubelet reports of a pod with one container. Immutable.</summary>
internal sealed record PodState
{
    private const string True = "True";
    private const string False = "False";

    /// <summary>The pod's address; null until it has a network.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>When the container's process began; null if none runs.</summary>
    public DateTime? RunningSince { get; init; }

    /// <summary>Id of the container's process; null if none runs.</summary>
    public int? ProcessId { get; init; }

    /// <summary>Why no process runs.</summary>
    public string WaitingFor { get; init; } = "ContainerCreating";

    /// <summary>What is wrong meanwhile.</summary>
    public string? Message { get; init; }

    /// <summary>Whether the startup probe has succeeded.</summary>
    public bool IsStarted { get; init; }

    /// <summary>Whether the readiness probe says so.</summary>
    public bool IsReady { get; init; }

    /// <summary>How often the container was started again.</summary>
    public int Restarts { get; init; }

    /// <summary>How the last process ended; null if none has.</summary>
    public V1ContainerStateTerminated? Last { get; init; }

    /// <summary>The pod's status.</summary>
    /// <param name="pod">The pod as it is now.</param>
    /// <param name="hostAddress">Address of its node.</param>
    /// <param name="published">What the API server is told of the pod's address.</param>
    /// <param name="quality">The pod's class of quality of service.</param>
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
