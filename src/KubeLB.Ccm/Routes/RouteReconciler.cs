using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Ccm.Events;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Routes;

/// <summary>
/// Carries the tenant's HTTPRoutes or GRPCRoutes to the management cluster and their status back. Writes the Route there; here,
/// the finalizer and our entries of <c>status.parents</c>. Node-port twins are the work of their own controller: a Route is
/// written when they are complete.
/// </summary>
internal sealed class RouteReconciler<T>(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    ManagementRoutes managementRoutes,
    Applier applier,
    StatusEvents events,
    ITenantView view,
    TenantSettings settings,
    TimeProvider time,
    ILogger<RouteReconciler<T>> logger) : IReconciler
    where T : ApiObject, IGatewayRoute, new()
{
    private static readonly string Kind = new T().Kind;

    private readonly IInformer<T> _sources = tenant.Informer<T>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var source = _sources.Get(key);
        await managementRoutes.RemoveObsoleteAsync(Kind, key, source?.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        if (source is null)
        {
            return ReconcileResult.Done;
        }

        var translation = RouteTranslator.Translate(source, view, settings);
        if (source.Metadata.DeletionTimestamp is not null || !translation.IsAttached)
        {
            await ReleaseAsync(key, source, translation, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            return await ServeAsync(key, source, translation, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }

    private async Task<ReconcileResult> ServeAsync(ResourceKey key, T source, RouteTranslation translation, CancellationToken cancellationToken)
    {
        source = await applier.EnsureFinalizerAsync(tenant, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        var route = managementRoutes.Find(Kind, key, source.Metadata.Uid);
        ManagementRefusal? refusal = null;
        if (translation.Backends.Waiting.Count > 0)
        {
            Log.WaitingForNodePorts(logger, Kind, key, string.Join(", ", translation.Backends.Waiting));
        }
        else if (translation.Parents.All(IsCarried))
        {
            (route, refusal) = await managementRoutes.ApplyAsync(Kind, key, translation.Desired!, cancellationToken).ConfigureAwait(false);
        }

        var now = time.GetUtcNow();
        var status = RouteStatusTranslator.Translate(source, translation, route, view, StatusTime.Of(now), refusal?.Message);
        if (RouteStatusTranslator.SaysNothingYet(source, status) && TimeForFirstAnswer(source, now) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        await WriteStatusAsync(source, status, cancellationToken).ConfigureAwait(false);
        return refusal is null ? ReconcileResult.Done : ReconcileResult.RequeueAfter(refusal.Pause);
    }

    // The management cluster answers within milliseconds as a rule: one write instead of two.
    private static TimeSpan? TimeForFirstAnswer(T source, DateTimeOffset now)
    {
        var age = now - (source.Metadata.CreationTimestamp ?? DateTime.MinValue);
        return age >= TimeSpan.Zero && age < Delays.FirstStatus ? Delays.FirstStatus - age : null;
    }

    // After its Gateway, so that the generated route finds its parent when it first appears.
    private bool IsCarried(ParentVerdict parent) => !parent.IsAttached || view.GatewayRoute(parent.Gateway.Namespace, parent.Gateway.Name) is not null;

    // Whatever the reason why it is not served (any more), the same is left behind: nothing.
    private async Task ReleaseAsync(ResourceKey key, T source, RouteTranslation translation, CancellationToken cancellationToken)
    {
        var isGone = await managementRoutes.RemoveAsync(Kind, key, source.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        if (source.Metadata.DeletionTimestamp is null)
        {
            source = await WriteStatusAsync(
                source,
                RouteStatusTranslator.Translate(source, translation, route: null, view, StatusTime.Of(time.GetUtcNow())),
                cancellationToken).ConfigureAwait(false);
        }

        if (isGone)
        {
            await applier.RemoveFinalizerAsync(tenant, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<T> WriteStatusAsync(T source, RouteParentsStatus status, CancellationToken cancellationToken)
    {
        if (status.Parents.Count == 0 && source.Status is not { Parents.Count: > 0 })
        {
            return source;
        }

        // Other controllers have entries in the same list, and a merge patch replaces lists whole: guarded.
        var patch = new JsonObject { ["parents"] = ApiJson.ToJson(status)["parents"]!.DeepClone() };
        var written = await applier.PatchStatusAsync(tenant, source, patch, guarded: true, cancellationToken).ConfigureAwait(false);
        events.Tell(source, written);
        return written.Object;
    }
}
