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

/// <summary>Writes and removes the objects generated from Routes.</summary>
internal sealed class GeneratedObjects(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    Applier applier,
    ILogger<GeneratedObjects> logger
)
{
    private const string PoliciesAbsent =
        "The management cluster offers no retries by annotation: it lacks the CustomResourceDefinition "
        + "backendtrafficpolicies.gateway.envoyproxy.io. "
        + "Ask its operator to install Envoy Gateway's, or use retry in the rules of an HTTPRoute.";

    // Where a Service sends traffic, and where from it takes it, is nobody else's to add to.
    private static readonly string[] OfServices =
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
            _ => throw new ArgumentException($"Nothing of kind {generated.Kind} is generated.", nameof(generated)),
        };

    /// <summary>Writes a Service; the API server and cloud controllers have fields of their own in it.</summary>
    public Task<AppliedObject> ApplyAsync(V1Service service, CancellationToken cancellationToken) =>
        ApplyAsync(service, ApplyMode.Subset, s => s.Status, cancellationToken, OfServices);

    /// <summary>Writes a policy. A management cluster need not have the kind; then the operator has to say so.</summary>
    public async Task<AppliedObject> ApplyAsync(BackendTrafficPolicy policy, CancellationToken cancellationToken)
    {
        if (management.Informer<BackendTrafficPolicy>().IsAbsent)
        {
            return AppliedObject.Failed(PoliciesAbsent, isRetryable: true);
        }

        try
        {
            return await ApplyAsync(policy, ApplyMode.Exclusive, p => p.Status, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            // Its definition has just been removed; the cache will tell, the route's status must not wait for it.
            return AppliedObject.Failed(PoliciesAbsent, isRetryable: true);
        }
    }

    /// <summary>The HTTPRoute or GRPCRoute of that name as it is now; null if there is none.</summary>
    public IGatewayRoute? RouteOf(ApiObject generated) =>
        generated switch
        {
            HttpRoute => management.Informer<HttpRoute>().Get(generated.Namespace, generated.Name),
            GrpcRoute => management.Informer<GrpcRoute>().Get(generated.Namespace, generated.Name),
            _ => null,
        };

    /// <summary>The Services that were generated from the Route and are not about to go.</summary>
    public IEnumerable<V1Service> ServicesOf(Route route) =>
        management
            .Informer<V1Service>()
            .ByIndex(Indexes.ByOwner, route.Metadata.Uid)
            .Concat(LegacyServices.Of(route, management.Informer<V1Service>()))
            .Where(s => s.Metadata.DeletionTimestamp is null);

    /// <summary>Deletes what was generated from the Route, but for what <paramref name="keep"/> says.</summary>
    /// <returns>Whether nothing of it is left.</returns>
    public async Task<bool> RemoveAsync(Route route, Func<string, string, bool> keep, CancellationToken cancellationToken)
    {
        var gone = await RemoveAsync<BackendTrafficPolicy>(route, keep, cancellationToken).ConfigureAwait(false);
        gone &= await RemoveAsync<HttpRoute>(route, keep, cancellationToken).ConfigureAwait(false);
        gone &= await RemoveAsync<GrpcRoute>(route, keep, cancellationToken).ConfigureAwait(false);
        gone &= await RemoveAsync<Gateway>(route, keep, cancellationToken).ConfigureAwait(false);
        gone &= await RemoveAsync<V1Service>(route, keep, cancellationToken).ConfigureAwait(false);
        foreach (
            var service in LegacyServices
                .Of(route, management.Informer<V1Service>())
                .Where(s => !keep(V1Service.KubeKind, s.Name()))
                .ToList()
        )
        {
            await applier.DeleteAsync(management, service, cancellationToken).ConfigureAwait(false);
            Log.Deleted(logger, V1Service.KubeKind, ResourceKey.Of(service));
        }

        return gone;
    }

    private async Task<bool> RemoveAsync<T>(Route route, Func<string, string, bool> keep, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = management.Informer<T>();
        var kind = ResourceKind.Of<T>().Kind;
        foreach (var generated in informer.ByIndex(Indexes.ByOwner, route.Metadata.Uid))
        {
            if (!keep(kind, generated.Metadata.Name) && generated.Metadata.DeletionTimestamp is null)
            {
                await applier.DeleteAsync(management, generated, cancellationToken).ConfigureAwait(false);
                Log.Deleted(logger, kind, ResourceKey.Of(generated));
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
                Log.Written(logger, desired.Kind, ResourceKey.Of(desired), applied.Outcome);
            }

            var value = status(applied.Object);
            return new AppliedObject(applied.Object.Metadata.Generation, value is null ? null : ApiJson.ToJson(value), Error: null)
            {
                IsCreated = applied.Outcome == ApplyOutcome.Created,
                IsRepaired = applied.IsRepair,
            };
        }
        catch (HttpOperationException e) when (TenantFacingApiError.Of(desired.Kind, e) is { } fault)
        {
            return AppliedObject.Failed(fault.Message, fault.MayPass);
        }
    }
}
