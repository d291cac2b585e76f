using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Routes;

/// <summary>Wraps a tenant's object into the Route that carries it.</summary>
public static class SourceResource
{
    /// <summary>The Route for the tenant's object.</summary>
    /// <param name="source">The tenant's Gateway, HTTPRoute or GRPCRoute.</param>
    /// <param name="spec">Its spec as the Route is to carry it.</param>
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
