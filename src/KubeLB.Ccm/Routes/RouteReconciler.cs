using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Ccm.Caching;
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
/// Carries the tenant's HTTPRoutes or GRPCRoutes to the management cluster and their status back. Writes the Route there; here, our entries
/// of <c>status.parents</c>. It sets no finalizer: the Route of an object that is gone is an orphan, which is deleted when it is seen, also
/// after a restart. Node-port twins are the work of their own controller: a Route is written when they are complete.
/// </summary>
internal sealed class RouteReconciler<T>(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    ManagementRoutes managementRoutes,
    SourceKinds kinds,
    Applier applier,
    StatusEvents events,
    ITenantView view,
    TenantSettings settings,
    TimeProvider time,
    ILogger<RouteReconciler<T>> logger
) : IReconciler
    where T : ApiObject, IGatewayRoute, new()
{
    private static readonly string Kind = new T().Kind;

    // A Gateway, a Service or a grant that is missing detaches routes, or takes their backends.
    private static readonly Type[] Needs = [typeof(T), typeof(Gateway), typeof(V1Service)];
    private static readonly Type[] NeedsWithGrants = [.. Needs, typeof(ReferenceGrant)];

    private readonly IInformer<T> _sources = tenant.Informer<T>();

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var present = _sources.Get(key);
        if (await kinds.ProblemAsync(cancellationToken, NeedsOf(key, present)).ConfigureAwait(false) is not null)
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        if (present is not { } source)
        {
            await managementRoutes.RemoveObsoleteAsync(Kind, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        source = await applier.RemoveFinalizerAsync(tenant, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        var translation = RouteTranslator.Translate(source, view, settings);
        if (source.Metadata.DeletionTimestamp is null && translation.IsAttached)
        {
            return await ServeAsync(key, source, translation, cancellationToken).ConfigureAwait(false);
        }

        await managementRoutes.RemoveObsoleteAsync(Kind, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
        if (source.Metadata.DeletionTimestamp is null)
        {
            var status = RouteStatusTranslator.Translate(source, translation, route: null, view, StatusTime.Of(time.GetUtcNow()));
            await WriteStatusAsync(source, status, cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }

    private Type[] NeedsOf(ResourceKey key, T? source) =>
        source is not null
        && settings.EnforceReferenceGrants
        && ReferenceIndexes.ReferencedNamespaces(source).Any()
        && managementRoutes.Find(Kind, key, source.Metadata.Uid) is not null
            ? NeedsWithGrants
            : Needs;

    private async Task<ReconcileResult> ServeAsync(
        ResourceKey key,
        T source,
        RouteTranslation translation,
        CancellationToken cancellationToken
    )
    {
        var route = managementRoutes.Find(Kind, key, source.Metadata.Uid);
        ManagementRejection? refusal = null;
        if (translation.Backends.PendingServices.Count > 0)
        {
            Log.WaitingForNodePorts(logger, Kind, key, string.Join(", ", translation.Backends.PendingServices));
        }
        else if (translation.Parents.All(IsCarried))
        {
            // The Route of an earlier object of this name is served until this one is complete, whose Route inherits what was generated.
            await managementRoutes.RemoveObsoleteAsync(Kind, key, source.Metadata.Uid, cancellationToken).ConfigureAwait(false);
            (route, refusal) = await managementRoutes.ApplyAsync(Kind, key, translation.Desired!, cancellationToken).ConfigureAwait(false);
        }

        var now = time.GetUtcNow();
        var status = RouteStatusTranslator.Translate(source, translation, route, view, StatusTime.Of(now), refusal?.ToRejection());
        if (RouteStatusTranslator.IsPendingOnly(source, status) && TimeForFirstAnswer(source, now) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        await WriteStatusAsync(source, status, cancellationToken).ConfigureAwait(false);
        return refusal is null ? ReconcileResult.Done : ReconcileResult.RequeueAfter(refusal.Pause);
    }

    // The management cluster answers within milliseconds as a rule: one write instead of two.
    private static TimeSpan? TimeForFirstAnswer(T source, DateTimeOffset now)
    {
        var age = now.UtcDateTime - (source.Metadata.CreationTimestamp ?? DateTime.MinValue);
        return age >= TimeSpan.Zero && age < Delays.FirstStatus ? Delays.FirstStatus - age : null;
    }

    // After its Gateway, so that the generated route finds its parent when it first appears.
    private bool IsCarried(ParentAttachment parent) =>
        !parent.IsAttached || view.GatewayRoute(parent.Gateway.Namespace, parent.Gateway.Name) is not null;

    private async Task WriteStatusAsync(T source, RouteParentsStatus status, CancellationToken cancellationToken)
    {
        if (status.Parents.Count == 0 && source.Status is not { Parents.Count: > 0 })
        {
            return;
        }

        // Other controllers have entries in the same list, and a merge patch replaces lists whole: guarded.
        var patch = new JsonObject { ["parents"] = ApiJson.ToJson(status)["parents"]!.DeepClone() };
        var written = await applier.PatchStatusAsync(tenant, source, patch, guarded: true, cancellationToken).ConfigureAwait(false);
        events.Tell(source, written);
    }
}
