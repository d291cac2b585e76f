using k8s;
using k8s.Models;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Routes;
using KubeLB.Manager.Services;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Clusters;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Secrets;

namespace KubeLB.Manager.Caching;

/// <summary>Gives the translation access to the caches for one tenant's namespace.</summary>
internal sealed class ManagementView(Cluster management, RouteQuota quota, HostnameUse hostnames, string tenantNamespace) : IManagementView
{
    public Route? GatewayRoute(string originNamespace, string originName)
    {
        var key = Indexes.OriginKey(tenantNamespace, Gateway.KindName, originNamespace, originName);
        var routes = management.Informer<Route>().ByIndex(Indexes.ByOrigin, key);

        // While a Gateway is recreated there are two Routes; the one that is not being deleted is used.
        return routes.FirstOrDefault(r => r.Metadata.DeletionTimestamp is null) ?? (routes.Count > 0 ? routes[0] : null);
    }

    public string? GatewayName(Route gateway)
    {
        if (gateway.Status?.Resources?.Route?.GeneratedName is not { Length: > 0 } reportedName)
        {
            return null;
        }

        var owned = management.Informer<Gateway>().ByIndex(Indexes.ByOwner, gateway.Metadata.Uid);
        return owned.FirstOrDefault(g => g.Name == reportedName)?.Name
            ?? (
                HolderOf(Gateway.KindName, reportedName).IsOrphan ? reportedName
                : owned.Count > 0 ? owned[0].Name
                : null
            );
    }

    public string? CertificateSecret(string originNamespace, string originName)
    {
        var key = Indexes.SecretKey(tenantNamespace, originNamespace, originName);

        // While a Secret is recreated there are two copies; the newer one is used.
        return management
            .Informer<V1Secret>()
            .ByIndex(Indexes.BySecretOrigin, key)
            .Where(s => s.Type == SecretTypes.Tls && s.Metadata.DeletionTimestamp is null)
            .OrderByDescending(s => s.Metadata.CreationTimestamp)
            .ThenBy(s => s.Name(), StringComparer.Ordinal)
            .FirstOrDefault()
            ?.Name();
    }

    public NameHolder HolderOf(string kind, string name) =>
        kind switch
        {
            Gateway.KindName => Holder(management.Informer<Gateway>().Get(tenantNamespace, name)),
            HttpRoute.KindName => Holder(management.Informer<HttpRoute>().Get(tenantNamespace, name)),
            GrpcRoute.KindName => Holder(management.Informer<GrpcRoute>().Get(tenantNamespace, name)),
            BackendTrafficPolicy.KindName => Holder(management.Informer<BackendTrafficPolicy>().Get(tenantNamespace, name)),
            V1Service.KubeKind => Holder(management.Informer<V1Service>().Get(tenantNamespace, name), LegacyServices.OriginOf),
            _ => throw new ArgumentException($"Kind {kind} is not generated.", nameof(kind)),
        };

    public Rejection? SizeRejection(Route route) => quota.SizeRejection(route);

    public bool IsWithinLimit(Route route) => quota.IsWithin(route);

    public bool IsHostnameInUse(Route route, string hostname) => hostnames.IsInUse(route, hostname);

    public (int Existing, int Missing) CountServices(IEnumerable<string> names)
    {
        var services = management.Informer<V1Service>();
        return (services.CountByIndex(Indexes.ByProxy, tenantNamespace), names.Count(name => services.Get(tenantNamespace, name) is null));
    }

    private NameHolder Holder<T>(T? value, Func<T, (string Namespace, string Name)?>? legacyOrigin = null)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        value is null
            ? NameHolder.Free
            : new NameHolder(IsTaken: true, RouteSuccession.HolderOf(management.Informer<Route>(), value), legacyOrigin?.Invoke(value))
            {
                IsOrphan = Indexes.IsOrphan(value),
            };
}
