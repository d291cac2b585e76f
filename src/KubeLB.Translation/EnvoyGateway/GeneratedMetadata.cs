using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>Metadata of generated objects: always in the tenant's namespace, always owned by the Route.</summary>
internal static class GeneratedMetadata
{
    // By labels of these domains controllers of the management cluster tell what is theirs and how to treat it.
    private static readonly string[] ReservedDomains =
    [
        "kubelb.k8c.io",
        "envoyproxy.io",
        "gateway.networking.k8s.io",
        "service.kubernetes.io",
        "endpointslice.kubernetes.io",
        "cert-manager.io",
    ];

    public static V1ObjectMeta For(
        Route route,
        string name,
        (string Namespace, string Name) origin,
        IDictionary<string, string>? sourceLabels,
        IDictionary<string, string>? annotations
    )
    {
        var labels = (sourceLabels ?? new Dictionary<string, string>())
            .Where(l => l.Value is not null && !IsReserved(l.Key))
            .ToDictionary(l => l.Key, l => l.Value, StringComparer.Ordinal);
        labels[Labels.ManagedBy] = Labels.ManagedByKubelb;
        labels[Labels.OriginName] = Labels.Value(origin.Name);
        labels[Labels.OriginNamespace] = origin.Namespace;

        return new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = route.Namespace,
            Labels = labels,
            Annotations = annotations,
            OwnerReferences =
            [
                new V1OwnerReference
                {
                    ApiVersion = KubelbVersion.ApiVersion,
                    Kind = Route.KindName,
                    Name = route.Name,
                    Uid = route.Uid(),
                    Controller = true,
                },
            ],
        };
    }

    public static V1ObjectMeta For(
        Route route,
        string name,
        RouteOrigin origin,
        IDictionary<string, string>? sourceLabels,
        IDictionary<string, string>? annotations
    ) => For(route, name, (origin.Namespace, origin.Name), sourceLabels, annotations);

    private static bool IsReserved(string label) =>
        label.Split('/') is [var domain, ..]
        && ReservedDomains.Any(reserved => domain == reserved || domain.EndsWith($".{reserved}", StringComparison.Ordinal));
}
