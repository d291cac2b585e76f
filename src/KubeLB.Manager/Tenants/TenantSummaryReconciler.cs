using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Endpoints;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Workload;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Routes;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Writes the figures of <c>kubectl get tenants</c> into the status of Tenants: the first <see cref="Burst"/> changes at once, then one per
/// <see cref="Delays.TenantSummary"/>. The work for a change does not depend on the number of Routes.
/// </summary>
internal sealed class TenantSummaryReconciler(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    Applier applier,
    TimeProvider time,
    ProxyAvailability? proxies = null,
    TenantEndpoints? endpoints = null
) : IReconciler
{
    /// <summary>The number of writes at once: enough for a CCM that starts with its first objects.</summary>
    internal const int Burst = 20;

    // For all Tenants together, so that many CCMs that start at once do not occupy the API server.
    private static readonly WriteLimit AllTenants = new(1_000, TimeSpan.FromMilliseconds(20));

    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly WriteRate _rate = new(time, new WriteLimit(Burst, Delays.TenantSummary), AllTenants);

    /// <summary>Adds the controller.</summary>
    public static void AddController(IServiceCollection services, ManagerOptions options) =>
        services.AddController<TenantSummaryReconciler>(
            "tenant-summary",
            controller =>
            {
                controller.Watch<Tenant>(
                    ManagementCluster.Name,
                    _ =>
                        (Change<Tenant> change) =>
                            change.Old?.Status?.Phase == change.New?.Status?.Phase
                            && change.Old?.Metadata.Generation == change.New?.Metadata.Generation
                                ? []
                                : [change.Key]
                );
                Watch<Route>(controller, change => change.Old is null || change.New is null || KindOf(change.Old) != KindOf(change.New));

                // The periodic report of the CCM; it also refreshes what depends on the Config.
                Watch<Addresses>(controller, change => change.Key.Name == Addresses.DefaultName);
                if (options.EnableGatewayApi)
                {
                    Watch<V1Deployment>(
                        controller,
                        change => ProxyAvailability.ReadinessOf(change.Old) != ProxyAvailability.ReadinessOf(change.New)
                    );
                    Watch<V1DaemonSet>(
                        controller,
                        change => ProxyAvailability.ReadinessOf(change.Old) != ProxyAvailability.ReadinessOf(change.New)
                    );
                }
            }
        );

    /// <summary>Whether a change of a Tenant is only one of its summary.</summary>
    public static bool IsOnlyChangeOf(Change<Tenant> change) =>
        change is { Old: { } old, New: { } now }
        && old.Metadata.Uid == now.Metadata.Uid
        && !JsonNode.DeepEquals(ApiJson.ToJson(old.Status?.Summary ?? new()), ApiJson.ToJson(now.Status?.Summary ?? new()))
        && JsonNode.DeepEquals(WithoutSummary(old), WithoutSummary(now));

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        // The tenant controller writes the first status.
        var @namespace = TenantNames.Namespace(key.Name);
        if (
            _tenants.Get(key) is not { Metadata.DeletionTimestamp: null, Status.Phase: not null } tenant
            || _tenants.HolderOf(@namespace)?.Metadata.Uid != tenant.Metadata.Uid
        )
        {
            _rate.Forget(Tenant.KindName, key);
            return ReconcileResult.Done;
        }

        var summary = SummaryOf(@namespace);
        if (JsonNode.DeepEquals(Fields(tenant.Status.Summary), Fields(summary)) || (tenant.Status.Summary is null && IsEmpty(summary)))
        {
            _rate.Forget(Tenant.KindName, key);
            return ReconcileResult.Done;
        }

        if (_rate.TimeLeft(Tenant.KindName, key) is { } left)
        {
            return ReconcileResult.RequeueAfter(left);
        }

        var patch = new JsonObject { ["summary"] = Fields(summary) };
        await applier.PatchStatusAsync(management, tenant, patch, guarded: false, cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    private TenantSummary SummaryOf(string tenantNamespace)
    {
        var addresses = _addresses.Get(tenantNamespace, Addresses.DefaultName);
        return new TenantSummary
        {
            CcmLastSeen = CcmAnnotations.LastSeenOf(addresses) is { } seen ? StatusTime.Of(seen) : null,
            CcmVersion = CcmAnnotations.CcmVersionOf(addresses),
            Routes = Count(HttpRoute.KindName) + Count(GrpcRoute.KindName),
            Gateways = Count(Gateway.KindName),
            Proxies = proxies?.ReadinessOf(tenantNamespace),
            Addresses = endpoints?.EndpointsOf(tenantNamespace).Count ?? addresses?.Spec?.Addresses?.Count ?? 0,
        };

        int Count(string kind) => _routes.CountByIndex(Indexes.ByOriginKind, Indexes.OriginKindKey(tenantNamespace, kind));
    }

    // A new Tenant, before its CCM connects.
    private static bool IsEmpty(TenantSummary summary) =>
        summary is { CcmLastSeen: null, CcmVersion: null, Routes: 0, Gateways: 0, Proxies: null, Addresses: 0 };

    // A merge patch removes a field by null.
    private static JsonObject Fields(TenantSummary? summary) =>
        new()
        {
            ["ccmLastSeen"] = summary?.CcmLastSeen,
            ["ccmVersion"] = summary?.CcmVersion,
            ["routes"] = summary?.Routes,
            ["gateways"] = summary?.Gateways,
            ["proxies"] = summary?.Proxies,
            ["addresses"] = summary?.Addresses,
        };

    private static string? KindOf(Route route) => RouteOrigin.Of(route)?.Kind;

    private static JsonObject WithoutSummary(Tenant tenant)
    {
        var json = ApiJson.ToJson(tenant);
        (json["status"] as JsonObject)?.Remove("summary");
        var metadata = json["metadata"] as JsonObject;
        metadata?.Remove("resourceVersion");
        metadata?.Remove("managedFields");
        return json;
    }

    private static void Watch<T>(ControllerBuilder controller, Func<Change<T>, bool> concerns)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        controller.Watch<T>(
            ManagementCluster.Name,
            host =>
            {
                var tenants = host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Tenant>();
                return change => concerns(change) ? tenants.ClaimantsOf(change.Key.Namespace).Select(t => ResourceKey.Of(t)) : [];
            }
        );
}
