using System.Collections.Concurrent;
using System.Net;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Serves a Gateway and writes its status.</summary>
internal sealed class GatewayController(
    [FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster,
    Applier applier,
    ClusterView view,
    GatewaySockets sockets,
    ServedRoutes served,
    SandboxNotices notices
) : IReconciler
{
    // Until a Gateway of the namespace is removed.
    private static readonly TimeSpan LimitRetry = TimeSpan.FromSeconds(5);

    private readonly RemappedPortEvents _events = new(cluster, notices);
    private readonly ConcurrentDictionary<ResourceKey, bool> _limited = new();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var evaluation = view.Gateway(key);
        if (evaluation is null or { Rejection: not null })
        {
            await sockets.RemoveAsync(key).ConfigureAwait(false);
        }

        if (evaluation is null)
        {
            _limited.TryRemove(key, out _);
            served.Remove(key);
            return ReconcileResult.Done;
        }

        var routes = view.RoutesOf(key);
        System.Net.IPAddress? address = null;
        if (evaluation.Rejection is null)
        {
            var plan = GatewayPlan.Of(evaluation, routes, secret => CertificateTable.Read(view.SecretData(secret.Namespace, secret.Name)));
            (address, var remapped) = await sockets.ApplyAsync(key, plan).ConfigureAwait(false);
            await _events.ReportAsync(evaluation.Gateway, remapped, cancellationToken).ConfigureAwait(false);
            if (address is not null)
            {
                _limited.TryRemove(key, out _);
            }
            else if (!_limited.ContainsKey(key))
            {
                // One notice for all Gateways of a namespace.
                if (_limited.Keys.All(other => other.Namespace != key.Namespace))
                {
                    notices.Notify(
                        $"Gateway {key} is not served: the sandbox opens at most {GatewaySockets.MaxPorts} ports for the Gateways of a "
                            + "namespace. Remove listeners or Gateways."
                    );
                }

                _limited[key] = true;
            }
        }

        served.Set(key, routes);

        // The ports are opened before the status is written: a client can send requests when it reads the status.
        var status = StatusWriter.Gateway(evaluation, routes, address, DateTimeOffset.UtcNow);
        await applier.ApplyStatusAsync(cluster, evaluation.Gateway, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        return evaluation.Rejection is null && address is null ? ReconcileResult.RequeueAfter(LimitRetry) : ReconcileResult.Done;
    }
}

/// <summary>Records an Event when a Gateway's port is remapped because it could not be bound.</summary>
internal sealed class RemappedPortEvents(Cluster cluster, SandboxNotices notices)
{
    private readonly ConcurrentDictionary<(ResourceKey, int), IPEndPoint> _reported = new();

    /// <summary>Records an Event for each newly remapped port.</summary>
    public async Task ReportAsync(Gateway gateway, IReadOnlyDictionary<int, IPEndPoint> remapped, CancellationToken cancellationToken)
    {
        foreach (var (port, endPoint) in remapped)
        {
            if (_reported.TryGetValue((ResourceKey.Of(gateway), port), out var known) && known.Equals(endPoint))
            {
                continue;
            }

            await cluster.Client<Corev1Event>().CreateAsync(Event(gateway, port, endPoint), cancellationToken).ConfigureAwait(false);
            _reported[(ResourceKey.Of(gateway), port)] = endPoint;
            notices.Notify($"Gateway {ResourceKey.Of(gateway)}: {Message(port, endPoint)}");
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
        $"Cannot listen on port {port} (privileged or in use); the sandbox serves it at {endPoint} instead.";
}

/// <summary>Notices for the user of the sandbox.</summary>
internal sealed class SandboxNotices(Action<string>? notify)
{
    /// <summary>Publishes a notice.</summary>
    public void Notify(string message) => notify?.Invoke(message);
}
