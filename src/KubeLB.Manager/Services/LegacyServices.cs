using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Storing;

namespace KubeLB.Manager.Services;

/// <summary>
/// Services that the Go manager generated: they have no owner reference; their labels and the Route's status name their origin. They are
/// adopted with their names and ports, so that running proxies keep their configuration. Tenants cannot write Services in the management
/// cluster.
/// </summary>
internal static class LegacyServices
{
    /// <summary>The tenant's Service from which a legacy Service was generated; null for any other Service.</summary>
    public static (string Namespace, string Name)? OriginOf(V1Service service) =>
        service.Metadata.OwnerReferences is not { Count: > 0 }
        && service.Spec is { Type: "ClusterIP" or null } spec
        && spec.Selector?.TryGetValue(Labels.AppName, out var proxy) == true
        && proxy == service.Namespace()
        && service.Metadata.Labels is { } labels
        && labels.TryGetValue(Labels.ManagedBy, out var manager)
        && manager == Labels.ManagedByKubelb
        && labels.TryGetValue(Labels.OriginNamespace, out var @namespace)
        && labels.TryGetValue(Labels.OriginName, out var name)
            ? (@namespace, name)
            : null;

    /// <summary>The legacy Services that the status of a Route names as generated from it.</summary>
    public static IEnumerable<V1Service> Of(Route route, IInformer<V1Service> services) =>
        from reported in route.Status?.Resources?.Services?.Values ?? Enumerable.Empty<GeneratedService>()
        let name = reported?.GeneratedName
        where !string.IsNullOrEmpty(name)
        let service = services.Get(route.Namespace, name!)
        where service is not null && OriginOf(service) == (reported.Namespace ?? "", Labels.Value(reported.Name ?? ""))
        select service;
}
