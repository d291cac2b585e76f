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
    GatewayServices services,
    ServedRoutes served,
    SandboxNotices notices
) : IReconciler
{
    // Until a Gateway of the namespace is removed.
    private static readonly TimeSpan LimitRetry = TimeSpan.FromSeconds(5);

    private readonly ServingEvents _events = new(cluster, notices);
    private readonly ConcurrentDictionary<ResourceKey, bool> _limited = new();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var evaluation = view.Gateway(key);
        if (evaluation is not { IsServed: true })
        {
            await sockets.RemoveAsync(key).ConfigureAwait(false);
            await services.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
        }

        if (evaluation is null)
        {
            _limited.TryRemove(key, out _);
            served.Remove(key);
            return ReconcileResult.Done;
        }

        var routes = view.RoutesOf(key);
        IPAddress? address = null;
        if (evaluation.IsServed)
        {
            var plan = GatewayPlan.Of(evaluation, routes, secret => CertificateTable.Read(view.SecretData(secret.Namespace, secret.Name)));
            (address, var remapped) = await sockets.ApplyAsync(key, plan).ConfigureAwait(false);
            await _events.ReportAsync(evaluation, address, remapped, cancellationToken).ConfigureAwait(false);
            foreach (var port in plan.Where(p => p.Rejection is not null))
            {
                await _events.ReportRejectionAsync(evaluation.Gateway, port, cancellationToken).ConfigureAwait(false);
            }

            if (address is not null)
            {
                await services.WriteAsync(evaluation, address, cancellationToken).ConfigureAwait(false);
                _limited.TryRemove(key, out _);
            }
            else if (!_limited.ContainsKey(key))
            {
                await services.DeleteAsync(key, cancellationToken).ConfigureAwait(false);

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

        served.Set(evaluation, routes);

        // The ports are opened before the status is written: a client can send requests when it reads the status.
        var status = StatusWriter.Gateway(evaluation, routes, address, DateTimeOffset.UtcNow);
        await applier.ApplyStatusAsync(cluster, evaluation.Gateway, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        return evaluation.IsServed && address is null ? ReconcileResult.RequeueAfter(LimitRetry) : ReconcileResult.Done;
    }
}

/// <summary>
/// Records an Event when a Gateway is served at another address than requested, when a port is remapped because it could not be bound, and
/// when Envoy would reject the routes of a port.
/// </summary>
internal sealed class ServingEvents(Cluster cluster, SandboxNotices notices)
{
    private readonly ConcurrentDictionary<(ResourceKey Gateway, string Origin), string> _reported = new();

    /// <summary>Records an Event for each new remapping.</summary>
    /// <param name="evaluation">The evaluated Gateway.</param>
    /// <param name="address">The address at which it is served; null for none.</param>
    /// <param name="remapped">The remapped ports.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public async Task ReportAsync(
        GatewayEvaluation evaluation,
        IPAddress? address,
        IReadOnlyDictionary<int, IPEndPoint> remapped,
        CancellationToken cancellationToken
    )
    {
        foreach (var requested in address is null ? [] : evaluation.RequestedAddresses)
        {
            var message = $"Address {requested} does not exist in the sandbox, which serves the Gateway at {address} instead.";
            await ReportAsync(evaluation.Gateway, "AddressMoved", requested, message, cancellationToken).ConfigureAwait(false);
        }

        foreach (var (port, endPoint) in remapped)
        {
            var message = $"Cannot listen on port {port} (privileged or in use); the sandbox serves it at {endPoint} instead.";
            await ReportAsync(evaluation.Gateway, "PortMoved", $"{port}", message, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Records an Event for routes that Envoy would reject.</summary>
    public Task ReportRejectionAsync(Gateway gateway, PortPlan port, CancellationToken cancellationToken)
    {
        var message =
            $"Envoy would reject the routes of port {port.Port}, and no change of a route there has effect until it is corrected: "
            + port.Rejection;
        return ReportAsync(gateway, "RoutesRejected", $"routes-{port.Port}", message, cancellationToken);
    }

    private async Task ReportAsync(Gateway gateway, string reason, string origin, string message, CancellationToken cancellationToken)
    {
        var key = ResourceKey.Of(gateway);
        if (_reported.TryGetValue((key, origin), out var known) && known == message)
        {
            return;
        }

        await cluster.Client<Corev1Event>().CreateAsync(Event(gateway, reason, origin, message), cancellationToken).ConfigureAwait(false);
        _reported[(key, origin)] = message;
        notices.Notify($"Gateway {key}: {message}");
    }

    private static Corev1Event Event(Gateway gateway, string reason, string origin, string message)
    {
        var now = DateTime.UtcNow;
        return new Corev1Event
        {
            ApiVersion = Corev1Event.KubeApiVersion,
            Kind = Corev1Event.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = $"{gateway.Name}.{now.Ticks:x}.{origin.Replace(':', '-')}",
                NamespaceProperty = gateway.Namespace,
            },
            InvolvedObject = new V1ObjectReference
            {
                ApiVersion = gateway.ApiVersion,
                Kind = gateway.Kind,
                Name = gateway.Name,
                NamespaceProperty = gateway.Namespace,
                Uid = gateway.Metadata.Uid,
            },
            Type = "Warning",
            Reason = reason,
            Message = message,
            Source = new V1EventSource { Component = "envoy-gateway" },
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
        };
    }
}

/// <summary>Notices for the user of the sandbox.</summary>
internal sealed class SandboxNotices(Action<string>? notify)
{
    /// <summary>Publishes a notice.</summary>
    public void Notify(string message) => notify?.Invoke(message);
}
