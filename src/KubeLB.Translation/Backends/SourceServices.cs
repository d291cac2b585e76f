using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;

namespace KubeLB.Translation.Backends;

/// <summary>The source Services of a Route: the tenant's Services, reduced to the fields that node ports need.</summary>
public static class SourceServices
{
    /// <summary>Builds the source Service.</summary>
    /// <param name="service">A Service with node ports: the tenant's own or its node-port Service.</param>
    /// <param name="isNodePortService">Whether it is a node-port Service, whose origin labels name the tenant's own.</param>
    public static RouteService Build(V1Service service, bool isNodePortService)
    {
        var labels = service.Metadata.Labels is { Count: > 0 } present
            ? new Dictionary<string, string>(present, StringComparer.Ordinal)
            : null;
        if (!isNodePortService && labels is not null)
        {
            // A route may name a node-port Service as its backend: then that Service is its own origin.
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
                        .Where(port => IsSupported(port) && port.NodePort is > 0)
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

    /// <summary>The tenant's Service of a source Service. For a node-port Service, it is the one that the labels name.</summary>
    public static (string Namespace, string Name) OriginOf(RouteService service)
    {
        var name =
            service.Metadata.Labels is { } labels && labels.TryGetValue(Labels.OriginName, out var origin) && origin is { Length: > 0 }
                ? origin
                : service.Name;
        return (service.Namespace, name);
    }

    /// <summary>Whether HTTPRoutes and GRPCRoutes can use the port.</summary>
    public static bool IsTcp(RouteServicePort port) => port.Protocol is null or "TCP";

    // Ports of other protocols, and ports without a node port, are omitted; they do not make the Service invalid.
    private static bool IsSupported(V1ServicePort port) => port.Protocol is null or "TCP" or "UDP";
}
