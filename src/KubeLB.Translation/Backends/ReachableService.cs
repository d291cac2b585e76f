using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Backends;

/// <summary>A Service in the shape in which a Route carries it: reduced to what node ports need.</summary>
public static class ReachableService
{
    /// <summary>Reduces a Service.</summary>
    /// <param name="service">A Service with node ports: the tenant's own or a twin.</param>
    /// <param name="isTwin">Whether it stands for another one, which its origin labels then name.</param>
    public static RouteService From(V1Service service, bool isTwin)
    {
        var labels = service.Metadata.Labels is { Count: > 0 } present
            ? new Dictionary<string, string>(present, StringComparer.Ordinal)
            : null;
        if (!isTwin && labels is not null)
        {
            // A route may name a twin itself as its backend: then it stands for no other.
            labels.Remove(Labels.OriginName);
            labels.Remove(Labels.OriginNamespace);
        }

        return new RouteService
        {
            Metadata = new V1ObjectMeta
            {
                Name = service.Name(),
                NamespaceProperty = service.Namespace(),
                Uid = service.Uid(),
                Labels = labels is { Count: > 0 } ? labels : null,
                Annotations = SourceMetadata.Annotations(service.Metadata),
            },
            Spec = new RouteServiceSpec
            {
                Type = service.Spec.Type,
                Selector = service.Spec.Selector is { Count: > 0 } selector
                    ? new Dictionary<string, string>(selector, StringComparer.Ordinal)
                    : null,
                Ports =
                [
                    .. (service.Spec.Ports ?? [])
                        .Where(IsCarried)
                        .Select(port => new RouteServicePort
                        {
                            Name = port.Name,
                            Port = port.Port,
                            Protocol = port.Protocol ?? "TCP",
                            AppProtocol = port.AppProtocol,
                            TargetPort = port.TargetPort,
                            NodePort = port.NodePort,
                        }),
                ],
            },
        };
    }

    // Proxies speak nothing else; such a port beside others is no reason to refuse the Service.
    private static bool IsCarried(V1ServicePort port) => port.Protocol is null or "TCP" or "UDP";
}
