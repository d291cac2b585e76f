using k8s;
using k8s.Models;
using KubeLB.Api;
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
/// Removes a tenant in order: its access, so that its CCM recreates nothing; its Routes with the generated objects; its Addresses, and with
/// them the configuration of its proxies; its SyncSecrets with their Secrets; its namespace with everything else.
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

    /// <summary>Performs the next steps of the removal.</summary>
    /// <returns>What the removal waits for; null if it is complete.</returns>
    public async Task<string?> AdvanceAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        var name = TenantNames.Namespace(tenant.Name);
        if (_namespaces.Get("", name) is not { } @namespace || !IsOwnedBy(tenant, @namespace))
        {
            // The namespace is deleted or belongs to another Tenant.
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
        options.EnableGatewayApi
            ? [.. OwnedBy<HttpRoute>(route), .. OwnedBy<GrpcRoute>(route), .. OwnedBy<Gateway>(route), .. OwnedBy<V1Service>(route)]
            : [];

    private IEnumerable<IKubernetesObject<V1ObjectMeta>> OwnedBy<T>(Route route)
        where T : class, IKubernetesObject<V1ObjectMeta> => management.Informer<T>().ByIndex(Indexes.ByOwner, route.Metadata.Uid);

    private static bool IsOwnedBy(Tenant tenant, V1Namespace @namespace) =>
        @namespace.Metadata.OwnerReferences?.Any(o => o.Uid == tenant.Metadata.Uid) == true;
}

/// <summary>
/// Messages about the objects for which the removal of a Tenant waits: their number, an example, and finalizers that block the removal.
/// </summary>
internal static class RemovalMessages
{
    /// <summary>The removal waits for objects.</summary>
    /// <param name="kind">Their kind.</param>
    /// <param name="tenantNamespace">Their namespace.</param>
    /// <param name="left">The remaining objects, at least one.</param>
    /// <param name="generatedFrom">The remaining objects generated from one of them.</param>
    public static string Objects<T>(
        string kind,
        string tenantNamespace,
        IReadOnlyList<T> left,
        Func<T, IEnumerable<IKubernetesObject<V1ObjectMeta>>> generatedFrom
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // An object that a finalizer blocks is the best example.
        var (example, blocked) = left.OrderBy(o => o.Metadata.Name, StringComparer.Ordinal)
            .Select(o => (Object: o, Blocked: generatedFrom(o).Prepend(o).FirstOrDefault(v => FinalizersOfOthers(v).Count > 0)))
            .OrderBy(o => o.Blocked is null)
            .First();
        var name = $"{example.Metadata.Name}{Origin(example)}";
        return blocked is null
            ? Messages.WaitingForObjects(left.Count, kind, tenantNamespace, name)
            : Messages.WaitingForFinalizers(
                left.Count,
                kind,
                tenantNamespace,
                name,
                $"{blocked.Kind} {ResourceKey.Of(blocked)}",
                FinalizersOfOthers(blocked)
            );
    }

    /// <summary>The removal waits for the namespace, for causes that its conditions report.</summary>
    public static string Namespace(V1Namespace @namespace) => Messages.WaitingForNamespace(@namespace.Name(), Causes(@namespace));

    /// <summary>The setup of a Tenant waits for the namespace of a deleted one.</summary>
    public static string OldNamespace(V1Namespace @namespace) => Messages.WaitingForOldNamespace(@namespace.Name(), Causes(@namespace));

    private static List<string> Causes(V1Namespace @namespace) =>
        [
            .. (@namespace.Status?.Conditions ?? [])
                .Where(c => c.Status == ConditionStatus.True && !string.IsNullOrEmpty(c.Message))
                .OrderBy(c => c.Type, StringComparer.Ordinal)
                .Select(c => c.Message.TrimEnd('.')),
        ];

    private static List<string> FinalizersOfOthers(IKubernetesObject<V1ObjectMeta> value) =>
        value.Metadata.DeletionTimestamp is null ? [] : [.. (value.Metadata.Finalizers ?? []).Where(f => f != Finalizers.Cleanup)];

    private static string Origin(IKubernetesObject<V1ObjectMeta> value) =>
        value.Metadata.Labels is { } labels
        && labels.TryGetValue(Labels.OriginName, out var name)
        && labels.TryGetValue(Labels.OriginNamespace, out var @namespace)
            ? $" ({SourceKind(labels)}{@namespace}/{name} of the tenant)"
            : "";

    private static string SourceKind(IDictionary<string, string> labels) =>
        labels.TryGetValue(Labels.OriginResourceKind, out var kind) ? kind.Split('.')[0] + " " : "";
}
