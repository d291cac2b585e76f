using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Routes;
using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>
/// Writes Events on Tenants from every replica, since a proxy may not be connected to the leader. Event recorders write only on the leader;
/// this writer does not need that restriction, since Events do not overwrite other objects. Equal Events of several proxies or replicas are
/// combined into one Event with a count.
/// </summary>
internal sealed class TenantEventWriter(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    TimeProvider time,
    ILogger<TenantEventWriter> logger
) : BackgroundService
{
    private const int Capacity = 100;
    private const string Namespace = "default";
    private const int MaxNameLength = 230;

    private readonly Channel<(Tenant Tenant, string Reason, string Message)> _queue = Channel.CreateBounded<(Tenant, string, string)>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    private bool _isFailing;

    /// <summary>Queues a Warning without waiting; drops it if the queue is full.</summary>
    public void Record(Tenant tenant, string reason, string message) => _queue.Writer.TryWrite((tenant, reason, message));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var (tenant, reason, message) in _queue.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
            {
                await TryWriteAsync(tenant, reason, message, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private async Task TryWriteAsync(Tenant tenant, string reason, string message, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(tenant, reason, message, cancellationToken).ConfigureAwait(false);
            _isFailing = false;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // The log and a metric have the same information; the next Event is written independently.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (!_isFailing)
            {
                _isFailing = true;
                Log.EventFailed(logger, reason, tenant.Name, e.Message);
            }
        }
    }

    private async Task WriteAsync(Tenant tenant, string reason, string message, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant.Metadata.Uid}\n{reason}\n{message}")))[..16];
        var name = $"{tenant.Name[..Math.Min(tenant.Name.Length, MaxNameLength)].TrimEnd('.', '-')}.{hash}";
        var events = management.Kubernetes.CoreV1;
        try
        {
            await events
                .CreateNamespacedEventAsync(
                    new Corev1Event
                    {
                        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace },
                        InvolvedObject = new V1ObjectReference
                        {
                            ApiVersion = KubelbVersion.ApiVersion,
                            Kind = Tenant.KindName,
                            Name = tenant.Name,
                            Uid = tenant.Metadata.Uid,
                            ResourceVersion = tenant.Metadata.ResourceVersion,
                        },
                        Type = "Warning",
                        Reason = reason,
                        Message = message,
                        Source = new V1EventSource { Component = RouteEvents.Component },
                        ReportingComponent = RouteEvents.Component,
                        ReportingInstance = "",
                        FirstTimestamp = now,
                        LastTimestamp = now,
                        Count = 1,
                    },
                    Namespace,
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.Conflict)
        {
            var known = await events.ReadNamespacedEventAsync(name, Namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
            var patch = new JsonObject { ["count"] = (known.Count ?? 1) + 1, ["lastTimestamp"] = $"{now:yyyy-MM-dd'T'HH:mm:ss'Z'}" };
            await events
                .PatchNamespacedEventAsync(
                    new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch),
                    name,
                    Namespace,
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
        }
    }
}
