using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Services;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Routes;

/// <summary>Writes and deletes the objects generated from Routes.</summary>
internal sealed class GeneratedObjects(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    Applier applier,
    TimeProvider time,
    ILogger<GeneratedObjects> logger
)
{
    // Fields of a Service that decide where traffic comes from and goes to: values of other clients are removed.
    private static readonly string[] ExclusiveServiceFields =
    [
        "spec.selector",
        "spec.externalIPs",
        "spec.externalName",
        "spec.loadBalancerIP",
        "spec.loadBalancerClass",
        "spec.loadBalancerSourceRanges",
    ];

    /// <summary>Writes a Gateway, HTTPRoute or GRPCRoute.</summary>
    public Task<AppliedObject> ApplyAsync(ApiObject generated, CancellationToken cancellationToken) =>
        generated switch
        {
            Gateway gateway => ApplyAsync(gateway, ApplyMode.Exclusive, g => g.Status, cancellationToken),
            HttpRoute http => ApplyAsync(http, ApplyMode.Exclusive, r => r.Status, cancellationToken),
            GrpcRoute grpc => ApplyAsync(grpc, ApplyMode.Exclusive, r => r.Status, cancellationToken),
            _ => throw new ArgumentException($"Kind {generated.Kind} is not generated.", nameof(generated)),
        };

    /// <summary>Writes a Service; fields that the API server or cloud controllers set are kept.</summary>
    public Task<AppliedObject> ApplyAsync(V1Service service, CancellationToken cancellationToken) =>
        ApplyAsync(service, ApplyMode.Subset, s => s.Status, cancellationToken, ExclusiveServiceFields);

    /// <summary>Writes a policy. Fails with a message for the tenant if the management cluster does not have the kind.</summary>
    public async Task<AppliedObject> ApplyAsync(BackendTrafficPolicy policy, CancellationToken cancellationToken)
    {
        if (management.Informer<BackendTrafficPolicy>().IsAbsent)
        {
            return AppliedObject.Failed(Messages.RetryAnnotationsNotSupported, isRetryable: true);
        }

        try
        {
            return await ApplyAsync(policy, ApplyMode.Exclusive, p => p.Status, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            // The definition was just deleted, and the informer has not observed that yet.
            return AppliedObject.Failed(Messages.RetryAnnotationsNotSupported, isRetryable: true);
        }
    }

    /// <summary>The existing HTTPRoute or GRPCRoute of that name; null if it does not exist.</summary>
    public IGatewayRoute? RouteOf(ApiObject generated) =>
        generated switch
        {
            HttpRoute => management.Informer<HttpRoute>().Get(generated.Namespace, generated.Name),
            GrpcRoute => management.Informer<GrpcRoute>().Get(generated.Namespace, generated.Name),
            _ => null,
        };

    /// <summary>The Services generated from the Route, except those that are being deleted.</summary>
    public IEnumerable<V1Service> ServicesOf(Route route) =>
        management
            .Informer<V1Service>()
            .ByIndex(Indexes.ByOwner, route.Metadata.Uid)
            .Concat(LegacyServices.Of(route, management.Informer<V1Service>()))
            .Where(s => s.Metadata.DeletionTimestamp is null);

    /// <summary>
    /// Deletes the objects generated from the Route, except those that <paramref name="keep"/> returns true for, as many as a slice of time
    /// permits. Each deletion enqueues the Route, and the next reconcile deletes the rest.
    /// </summary>
    /// <returns>Whether all other objects with an owner reference to the Route are deleted.</returns>
    public async Task<bool> RemoveAsync(Route route, Func<string, string, bool> keep, CancellationToken cancellationToken)
    {
        var slice = new WorkSlice(time);
        var isRemoved = await RemoveAsync<BackendTrafficPolicy>(route, keep, slice, cancellationToken).ConfigureAwait(false);
        isRemoved &= await RemoveAsync<HttpRoute>(route, keep, slice, cancellationToken).ConfigureAwait(false);
        isRemoved &= await RemoveAsync<GrpcRoute>(route, keep, slice, cancellationToken).ConfigureAwait(false);
        isRemoved &= await RemoveAsync<Gateway>(route, keep, slice, cancellationToken).ConfigureAwait(false);
        isRemoved &= await RemoveAsync<V1Service>(route, keep, slice, cancellationToken).ConfigureAwait(false);
        foreach (
            var service in LegacyServices
                .Of(route, management.Informer<V1Service>())
                .Where(s => !keep(V1Service.KubeKind, s.Name()))
                .ToList()
        )
        {
            await applier.DeleteAsync(management, service, cancellationToken).ConfigureAwait(false);
            Log.ObjectDeleted(logger, V1Service.KubeKind, ResourceKey.Of(service));
        }

        return isRemoved;
    }

    private async Task<bool> RemoveAsync<T>(
        Route route,
        Func<string, string, bool> keep,
        WorkSlice slice,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = management.Informer<T>();
        var kind = ResourceKind.Of<T>().Kind;
        var isFirst = true;
        foreach (var generated in informer.ByIndex(Indexes.ByOwner, route.Metadata.Uid))
        {
            if (!isFirst && slice.IsUsedUp)
            {
                break;
            }

            if (!keep(kind, generated.Metadata.Name) && generated.Metadata.DeletionTimestamp is null)
            {
                await applier.DeleteAsync(management, generated, cancellationToken).ConfigureAwait(false);
                Log.ObjectDeleted(logger, kind, ResourceKey.Of(generated));
                isFirst = false;
            }
        }

        return informer.ByIndex(Indexes.ByOwner, route.Metadata.Uid).All(o => keep(kind, o.Metadata.Name));
    }

    private async Task<AppliedObject> ApplyAsync<T>(
        T desired,
        ApplyMode mode,
        Func<T, object?> status,
        CancellationToken cancellationToken,
        string[]? wholeFields = null
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            var applied = await applier.ApplyAsync(management, desired, mode, wholeFields ?? [], cancellationToken).ConfigureAwait(false);
            if (applied.Outcome != ApplyOutcome.Unchanged)
            {
                Log.ObjectWritten(logger, desired.Kind, ResourceKey.Of(desired), applied.Outcome);
            }

            var value = status(applied.Object);
            return new AppliedObject(applied.Object.Metadata.Generation, value is null ? null : ApiJson.ToJson(value), Error: null)
            {
                IsCreated = applied.Outcome == ApplyOutcome.Created,
                IsWritten = applied.Outcome != ApplyOutcome.Unchanged,
                IsRepaired = applied.IsRepair,
            };
        }
        catch (HttpOperationException e) when (TenantFacingApiError.Of(desired.Kind, e) is { } error)
        {
            return AppliedObject.Failed(error.Message, error.Reason, error.IsRetryable);
        }
    }
}
