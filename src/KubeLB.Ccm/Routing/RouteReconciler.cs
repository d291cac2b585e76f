using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Ccm.Caching;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.Registration;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tracing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Routing;

/// <summary>
/// Writes a Route to the management cluster for each HTTPRoute or GRPCRoute of the tenant, and copies its status back to KubeLB's entries
/// of <c>status.parents</c>. It sets no finalizer: the Route of a deleted object is an orphan, which is deleted when it is observed, also
/// after a restart. Node-port Services have their own controller: a Route is written after the node ports that it uses are allocated, or
/// their Service is rejected.
/// </summary>
internal sealed class RouteReconciler<T>(
    [FromKeyedServices(ClusterNames.Tenant)] Cluster tenant,
    ManagementRoutes managementRoutes,
    KindAvailability kinds,
    Applier applier,
    StatusEvents events,
    ITenantView view,
    TenantSettings settings,
    GenerationLatency latency,
    TimeProvider time,
    ILogger<RouteReconciler<T>> logger
) : IReconciler
    where T : ApiObject, IGatewayRoute, new()
{
    private static readonly string Kind = new T().Kind;

    // If objects of these kinds are missing, a route loses its parents or backends.
    private static readonly Type[] RequiredKinds = [typeof(T), typeof(Gateway), typeof(V1Service)];
    private static readonly Type[] RequiredKindsWithGrants = [.. RequiredKinds, typeof(ReferenceGrant)];

    private readonly IInformer<T> _sources = tenant.Informer<T>();
    private readonly DelayTracker _unready = new(time);
    private readonly DelayTracker _missing = new(time);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var present = _sources.Get(key);
        if (await kinds.ProblemAsync(cancellationToken, KindsFor(key, present)).ConfigureAwait(false) is not null)
        {
            return ReconcileResult.RequeueAfter(Delays.MissingKind);
        }

        if (present is not { } source)
        {
            await managementRoutes.RemoveObsoleteAsync(Kind, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
            events.Forget(Kind, key);
            latency.Forget(Kind, key);
            _unready.End(key);
            _missing.End(key);
            return ReconcileResult.Done;
        }

        source = await applier.RemoveFinalizerAsync(tenant, source, Finalizers.Cleanup, cancellationToken).ConfigureAwait(false);
        latency.Start(Kind, key, source.Metadata.Generation, source.Status is { } reported && IsDefinite(reported, source));
        var translation = RouteTranslator.Translate(source, view, settings);
        var isDeleted = source.Metadata.DeletionTimestamp is not null;
        var requeueAfter = ReportMissingParent(key, source, isDeleted);
        if (!isDeleted && translation.IsAttached)
        {
            var result = await ServeAsync(key, source, translation, cancellationToken).ConfigureAwait(false);
            return requeueAfter is { } missing && result == ReconcileResult.Done ? ReconcileResult.RequeueAfter(missing) : result;
        }

        _unready.End(key);
        latency.Cancel(Kind, key);
        ManagementRejection? rejection = null;
        if (!isDeleted && translation.Desired is { } parked)
        {
            await managementRoutes.RemoveObsoleteAsync(Kind, key, source.Metadata.Uid, cancellationToken).ConfigureAwait(false);
            (_, rejection) = await managementRoutes.ApplyAsync(Kind, key, parked, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await managementRoutes.RemoveObsoleteAsync(Kind, key, exceptUid: null, cancellationToken).ConfigureAwait(false);
        }

        if (!isDeleted)
        {
            var status = RouteStatusTranslator.Translate(source, translation, route: null, view, StatusTime.Of(time.GetUtcNow()));
            await WriteStatusAsync(source, status, cancellationToken).ConfigureAwait(false);
        }

        ReconcileTrace.Current?.CompleteChange(ChangeResults.NotServed);
        return rejection is not null ? ReconcileResult.RequeueAfter(rejection.RequeueAfter)
            : requeueAfter is { } left ? ReconcileResult.RequeueAfter(left)
            : ReconcileResult.Done;
    }

    // Gateways are often created after their routes.
    private TimeSpan? ReportMissingParent(ResourceKey key, T source, bool isDeleted)
    {
        var missing = isDeleted ? null : RouteAttachment.MissingParent(source, view);
        if (missing is null)
        {
            _missing.End(key);
        }
        else if (_missing.Left(key, missing.Message, Delays.MissingParent) is { } left)
        {
            return left;
        }

        events.RecordMissingParent(source, missing);
        return null;
    }

    private Type[] KindsFor(ResourceKey key, T? source) =>
        source is not null
        && settings.EnforceReferenceGrants
        && Indexes.ReferencedNamespaces(source).Any()
        && managementRoutes.Find(Kind, key, source.Metadata.Uid) is not null
            ? RequiredKindsWithGrants
            : RequiredKinds;

    private async Task<ReconcileResult> ServeAsync(
        ResourceKey key,
        T source,
        RouteTranslation translation,
        CancellationToken cancellationToken
    )
    {
        var route = managementRoutes.Find(Kind, key, source.Metadata.Uid);
        ManagementRejection? rejection = null;
        var change = ReconcileTrace.Current?.Change;
        if (translation.Backends.PendingServices.Count > 0)
        {
            change?.BeginWait(Waits.NodePorts);
            Log.WaitingForNodePorts(logger, Kind, key, string.Join(", ", translation.Backends.PendingServices));
        }
        else if (translation.Parents.All(IsGatewayWritten))
        {
            change?.EndWait(Waits.NodePorts);
            // The Route of an earlier object of this name is kept until this Route, which adopts its generated objects, can be written.
            await managementRoutes.RemoveObsoleteAsync(Kind, key, source.Metadata.Uid, cancellationToken).ConfigureAwait(false);
            (route, rejection) = await managementRoutes
                .ApplyAsync(Kind, key, translation.Desired!, cancellationToken)
                .ConfigureAwait(false);
        }

        var now = time.GetUtcNow();
        var (readiness, unreadyDelay) = Readiness(key, source);
        var status = RouteStatusTranslator.Translate(
            source,
            translation,
            route,
            view,
            StatusTime.Of(now),
            rejection?.ToRejection(),
            readiness
        );
        if (RouteStatusTranslator.IsPendingOnly(source, status) && FirstStatusDelay(source, now) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        await WriteStatusAsync(source, status, cancellationToken).ConfigureAwait(false);
        return rejection is not null
                ? ReconcileResult.RequeueAfter(unreadyDelay < rejection.RequeueAfter ? unreadyDelay.Value : rejection.RequeueAfter)
            : unreadyDelay is { } delay ? ReconcileResult.RequeueAfter(delay)
            : ReconcileResult.Done;
    }

    // During a rollout, all pods of a Service may be unready for seconds.
    private (ReadinessReport Report, TimeSpan? Left) Readiness(ResourceKey key, T source)
    {
        if (BackendReadiness.Problem(source, view, settings) is not { } problem)
        {
            _unready.End(key);
            return (new ReadinessReport(Problem: null), null);
        }

        var left = _unready.Left(key, problem.Message, Delays.BackendsReady);
        return (new ReadinessReport(problem, IsDelayed: left is not null), left);
    }

    // The management cluster usually reports within milliseconds: this delay saves one of two writes.
    private static TimeSpan? FirstStatusDelay(T source, DateTimeOffset now)
    {
        var age = now.UtcDateTime - (source.Metadata.CreationTimestamp ?? DateTime.MinValue);
        return age >= TimeSpan.Zero && age < Delays.FirstStatus ? Delays.FirstStatus - age : null;
    }

    // A Route is written after that of its Gateway, so that the parent of the generated route exists.
    private bool IsGatewayWritten(ParentAttachment parent) =>
        !parent.IsAttached || view.GatewayRoute(parent.Gateway.Namespace, parent.Gateway.Name) is not null;

    private async Task WriteStatusAsync(T source, RouteParentsStatus status, CancellationToken cancellationToken)
    {
        if (status.Parents.Count == 0 && source.Status is not { Parents.Count: > 0 })
        {
            return;
        }

        // A merge patch replaces the complete list, which also contains entries of other controllers, so the resourceVersion guards it.
        var patch = new JsonObject { ["parents"] = ApiJson.ToJson(status)["parents"]!.DeepClone() };
        var written = await applier.PatchStatusAsync(tenant, source, patch, guarded: true, cancellationToken).ConfigureAwait(false);
        events.RecordStatus(source, written);
        if (IsDefinite(status, source))
        {
            latency.End(Kind, ResourceKey.Of(source), source.Metadata.Generation);
            ReconcileTrace.Current?.CompleteChange(ChangeResults.Reported);
        }
    }

    // Whether KubeLB has reported on the current generation, and nothing is pending.
    private static bool IsDefinite(RouteParentsStatus status, T source)
    {
        var conditions = status
            .Parents.Where(p => p.ControllerName == GatewayClass.KubelbController)
            .SelectMany(p => p.Conditions)
            .ToList();
        return conditions.Count > 0
            && conditions.TrueForAll(c => c.Status != ConditionStatus.Unknown && c.ObservedGeneration >= source.Metadata.Generation);
    }
}
