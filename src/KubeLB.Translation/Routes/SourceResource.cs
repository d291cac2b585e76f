using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Routes;

/// <summary>Builds the Route of a tenant's object.</summary>
public static class SourceResource
{
    /// <summary>Builds the Route.</summary>
    /// <param name="source">The tenant's Gateway, HTTPRoute or GRPCRoute.</param>
    /// <param name="spec">The spec of the source object in the Route.</param>
    /// <param name="services">The Services behind it; null for a Gateway.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    public static Route Wrap(
        IKubernetesObject<V1ObjectMeta> source,
        JsonObject spec,
        IReadOnlyList<RouteService>? services,
        string tenantNamespace
    ) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = source.Uid(),
                NamespaceProperty = tenantNamespace,
                Labels = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [Labels.ManagedBy] = Labels.ManagedByKubelb,
                    [Labels.OriginName] = Labels.Value(source.Name()),
                    [Labels.OriginNamespace] = source.Namespace(),
                    [Labels.OriginResourceKind] = RouteOrigin.ResourceKind(source.Kind),
                },
                Annotations = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [Annotations.SourceGeneration] = $"{source.Metadata.Generation ?? 0}",
                },
            },
            Spec = new RouteSpec
            {
                Endpoints =
                [
                    new RouteEndpoint
                    {
                        Name = Addresses.DefaultName,
                        AddressesReference = new ObjectReference { Name = Addresses.DefaultName },
                    },
                ],
                Source = new RouteSource
                {
                    Kubernetes = new KubernetesSource
                    {
                        Resource = Resource(source, spec),
                        Services = services is { Count: > 0 } ? [.. services] : null,
                    },
                },
            },
        };

    private static JsonObject Resource(IKubernetesObject<V1ObjectMeta> source, JsonObject spec)
    {
        var metadata = ApiJson.ToJson(
            new V1ObjectMeta
            {
                Name = source.Name(),
                NamespaceProperty = source.Namespace(),
                Uid = source.Uid(),
                Labels = source.Metadata.Labels is { Count: > 0 } labels ? labels : null,
                Annotations = SourceMetadata.Annotations(source.Metadata),
            }
        );

        return new JsonObject
        {
            ["apiVersion"] = source.ApiVersion,
            ["kind"] = source.Kind,
            ["metadata"] = metadata,
            ["spec"] = spec,
        };
    }
}

/// <summary>The metadata of a tenant's object that is synced to the management cluster.</summary>
public static class SourceMetadata
{
    /// <summary>The annotations without kubectl's and the applier's records; null if there are none.</summary>
    public static Dictionary<string, string>? Annotations(V1ObjectMeta metadata)
    {
        var kept = (metadata.Annotations ?? new Dictionary<string, string>())
            .Where(a => a.Key is not (Api.Annotations.KubectlLastApplied or Api.Annotations.Applied))
            .ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);
        return kept.Count > 0 ? kept : null;
    }
}
