using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Backends;

/// <summary>
/// The NodePort Service beside a tenant's Service that node ports alone can reach: same selector, same ports, owned by it.
/// </summary>
public static class NodePortService
{
    /// <summary>Whether the Service needs a twin: it has ports, but no node ports of its own.</summary>
    public static bool IsNeededFor(V1Service service) =>
        service.Spec?.Ports is { Count: > 0 } ports
        && (service.Spec.Type ?? "ClusterIP") switch
        {
            "ClusterIP" => true,
            "LoadBalancer" => service.Spec.AllocateLoadBalancerNodePorts == false && ports.All(p => p.NodePort is null),
            _ => false,
        };

    /// <summary>Whether <paramref name="candidate"/> is the twin that KubeLB made for the named Service.</summary>
    public static bool IsTwinOf(V1Service candidate, string @namespace, string name) => Origin(candidate) == (@namespace, name);

    /// <summary>The Service that <paramref name="candidate"/> is the twin of; null if it is not a twin.</summary>
    public static (string Namespace, string Name)? Origin(V1Service candidate)
    {
        var labels = candidate.Metadata.Labels;
        return
            labels is not null
            && labels.TryGetValue(Labels.ManagedBy, out var managedBy)
            && managedBy == Labels.ManagedByKubelb
            && labels.TryGetValue(Labels.OriginName, out var name)
            && labels.TryGetValue(Labels.OriginNamespace, out var @namespace)
            && @namespace == candidate.Namespace()
            ? (@namespace, name)
            : null;
    }

    /// <summary>The twin as it exists, under either of its names; null if there is none yet.</summary>
    public static V1Service? Find(ITenantView view, string @namespace, string name) =>
        NodePortServiceNames
            .Candidates(name)
            .Select(candidate => view.Service(@namespace, candidate))
            .FirstOrDefault(service => service is not null && IsTwinOf(service, @namespace, name));

    /// <summary>The twin as it should be.</summary>
    public static V1Service For(V1Service service, ITenantView view)
    {
        var labels = new Dictionary<string, string>(service.Metadata.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal)
        {
            [Labels.OriginName] = service.Name(),
            [Labels.OriginNamespace] = service.Namespace(),
            [Labels.ManagedBy] = Labels.ManagedByKubelb,
        };

        return new V1Service
        {
            ApiVersion = V1Service.KubeApiVersion,
            Kind = V1Service.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = NameFor(service, view),
                NamespaceProperty = service.Namespace(),
                Labels = labels,
                Annotations = SourceMetadata.Annotations(service.Metadata),
                OwnerReferences =
                [
                    new V1OwnerReference
                    {
                        ApiVersion = V1Service.KubeApiVersion,
                        Kind = V1Service.KubeKind,
                        Name = service.Name(),
                        Uid = service.Uid(),
                    },
                ],
            },
            Spec = new V1ServiceSpec
            {
                Type = "NodePort",
                Selector = service.Spec?.Selector,
                PublishNotReadyAddresses = service.Spec?.PublishNotReadyAddresses,
                Ports =
                [
                    .. (service.Spec?.Ports ?? []).Select(port => new V1ServicePort
                    {
                        Name = port.Name,
                        Port = port.Port,
                        Protocol = port.Protocol ?? "TCP",
                        TargetPort = port.TargetPort,
                        AppProtocol = port.AppProtocol,
                    }),
                ],
            },
        };
    }

    /// <summary>Whether every port has its node port, so that a Route made from it is complete.</summary>
    public static bool IsReady(V1Service service) => service.Spec?.Ports is { Count: > 0 } ports && ports.All(p => p.NodePort is > 0);

    // A twin that is there keeps its name, and with it its node ports; a new one gets the contract's, unless somebody else has it.
    private static string NameFor(V1Service service, ITenantView view)
    {
        if (Find(view, service.Namespace(), service.Name()) is { } existing)
        {
            return existing.Name();
        }

        var names = NodePortServiceNames.Candidates(service.Name());
        return names.FirstOrDefault(name => view.Service(service.Namespace(), name) is null) ?? names[^1];
    }
}
