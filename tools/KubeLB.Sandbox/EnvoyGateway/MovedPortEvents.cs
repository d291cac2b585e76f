using System.Collections.Concurrent;
using System.Net;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Tells users in an Event when a Gateway's port is served elsewhere, since it could not be bound.</summary>
internal sealed class MovedPortEvents(Cluster cluster, SandboxNotices notices)
{
    private readonly ConcurrentDictionary<(ResourceKey, int), IPEndPoint> _told = new();

    /// <summary>Writes an Event for each moved port that was not told yet.</summary>
    public async Task ReportAsync(Gateway gateway, IReadOnlyDictionary<int, IPEndPoint> moved, CancellationToken cancellationToken)
    {
        foreach (var (port, endPoint) in moved)
        {
            if (_told.TryGetValue((ResourceKey.Of(gateway), port), out var known) && known.Equals(endPoint))
            {
                continue;
            }

            await cluster.Client<Corev1Event>().CreateAsync(Event(gateway, port, endPoint), cancellationToken).ConfigureAwait(false);
            _told[(ResourceKey.Of(gateway), port)] = endPoint;
            notices.Tell($"Gateway {ResourceKey.Of(gateway)}: {Message(port, endPoint)}");
        }
    }

    private static Corev1Event Event(Gateway gateway, int port, IPEndPoint endPoint)
    {
        var now = DateTime.UtcNow;
        return new Corev1Event
        {
            ApiVersion = Corev1Event.KubeApiVersion,
            Kind = Corev1Event.KubeKind,
            Metadata = new V1ObjectMeta { Name = $"{gateway.Name}.{now.Ticks:x}.{port}", NamespaceProperty = gateway.Namespace },
            InvolvedObject = new V1ObjectReference
            {
                ApiVersion = gateway.ApiVersion,
                Kind = gateway.Kind,
                Name = gateway.Name,
                NamespaceProperty = gateway.Namespace,
                Uid = gateway.Metadata.Uid,
            },
            Type = "Warning",
            Reason = "PortMoved",
            Message = Message(port, endPoint),
            Source = new V1EventSource { Component = "envoy-gateway" },
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
        };
    }

    private static string Message(int port, IPEndPoint endPoint) =>
        $"Port {port} cannot be listened on here (privileged or taken); the sandbox serves it at {endPoint} instead.";
}

/// <summary>Sentences for the person in front of the sandbox.</summary>
internal sealed class SandboxNotices(Action<string>? tell)
{
    /// <summary>Tells a sentence.</summary>
    public void Tell(string sentence) => tell?.Invoke(sentence);
}
