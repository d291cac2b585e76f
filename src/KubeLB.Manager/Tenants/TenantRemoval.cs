using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Tenants;

/// <summary>
/// Takes a tenant down in order: its access, so that nothing is put back; its Routes with all that was generated from them; its node
/// addresses (with which the configuration of its proxies ends); its SyncSecrets with their Secrets; its namespace with everything else.
/// </summary>
internal sealed class TenantRemoval(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    ManagerOptions options,
    TenantAccess access,
    Applier applier
)
{
    private readonly IInformer<Route> _routes = management.Informer<Route>();
    private readonly IInformer<SyncSecret> _syncSecrets = management.Informer<SyncSecret>();
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly IInformer<V1Namespace> _namespaces = management.Informer<V1Namespace>();

    /// <summary>Goes as far as it can.</summary>
    /// <returns>What it waits for; null if nothing of the tenant is left.</returns>
    public async Task<string?> AdvanceAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        var name = TenantNames.Namespace(tenant.Name);
        if (_namespaces.Get("", name) is not { } @namespace || !IsOf(tenant, @namespace))
        {
            // A Tenant that was refused the namespace of another takes nothing along.
            return null;
        }

        await access.RevokeAsync(name, cancellationToken).ConfigureAwait(false);
        if (await RemoveAsync(_routes, name, cancellationToken).ConfigureAwait(false) is { Count: > 0 } routes)
        {
            return RemovalMessages.Objects(Route.KindName, name, routes, GeneratedFrom);
        }

        if (_addresses.Get(name, Addresses.DefaultName) is { Metadata.DeletionTimestamp: null } addresses)
        {
            await applier.DeleteAsync(management, addresses, cancellationToken).ConfigureAwait(false);
        }

        if (await RemoveAsync(_syncSecrets, name, cancellationToken).ConfigureAwait(false) is { Count: > 0 } syncSecrets)
        {
            return RemovalMessages.Objects(SyncSecret.KindName, name, syncSecrets, _ => []);
        }

        if (@namespace.Metadata.DeletionTimestamp is null)
        {
            await applier.DeleteAsync(management, @namespace, cancellationToken).ConfigureAwait(false);
        }

        return _namespaces.Get("", name) is { } left ? RemovalMessages.Namespace(left) : null;
    }

    private async Task<IReadOnlyList<T>> RemoveAsync<T>(IInformer<T> informer, string tenantNamespace, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var value in informer.ByIndex(Indexes.ByNamespace, tenantNamespace).Where(v => v.Metadata.DeletionTimestamp is null))
        {
            await applier.DeleteAsync(management, value, cancellationToken).ConfigureAwait(false);
        }

        return informer.ByIndex(Indexes.ByNamespace, tenantNamespace);
    }

    private IEnumerable<IKubernetesObject<V1ObjectMeta>> GeneratedFrom(Route route) =>
        options.EnableGatewayApi ? [.. Of<HttpRoute>(route), .. Of<GrpcRoute>(route), .. Of<Gateway>(route), .. Of<V1Service>(route)] : [];

    private IEnumerable<IKubernetesObject<V1ObjectMeta>> Of<T>(Route route)
        where T : class, IKubernetesObject<V1ObjectMeta> => management.Informer<T>().ByIndex(Indexes.ByOwner, route.Metadata.Uid);

    private static bool IsOf(Tenant tenant, V1Namespace @namespace) =>
        @namespace.Metadata.OwnerReferences?.Any(o => o.Uid == tenant.Metadata.Uid) == true;
}
