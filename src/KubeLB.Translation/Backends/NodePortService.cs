using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Backends;

/// <summary>
/// The node-port Service of a tenant's Service that has no node ports of its own: same selector, same ports, owned by it.
/// </summary>
public static class NodePortService
{
    /// <summary>Whether routes to these ports of the Service need a node-port Service. Other ports are irrelevant.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="ports">The numbers of the ports.</param>
    public static bool IsNeededFor(V1Service service, IEnumerable<int> ports) =>
        MayBeNeededFor(service) && (service.Spec.Type is not "LoadBalancer" || ports.Any(port => LacksNodePort(service, port)));

    /// <summary>
    /// Whether the Service has ports that may have no node port: all of a ClusterIP Service, and those of a LoadBalancer Service for which
    /// none was requested.
    /// </summary>
    public static bool MayBeNeededFor(V1Service service) =>
        service.Spec?.Ports is { Count: > 0 }
        && (service.Spec.Type is null or "ClusterIP" || service.Spec is { Type: "LoadBalancer", AllocateLoadBalancerNodePorts: false });

    /// <summary>Whether the Service has a node port for a TCP port.</summary>
    public static bool HasNodePort(V1Service service, int port) => TcpPort(service, port) is { NodePort: > 0 };

    /// <summary>Whether <paramref name="candidate"/> is the node-port Service that KubeLB created for the named Service.</summary>
    public static bool IsNodePortServiceOf(V1Service candidate, string @namespace, string name) => Origin(candidate) == (@namespace, name);

    /// <summary>The Service that <paramref name="candidate"/> is the node-port Service of; null if it is not a node-port Service.</summary>
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

    /// <summary>The existing node-port Service, under either of its names; null if there is none yet.</summary>
    public static V1Service? Find(ITenantView view, string @namespace, string name) =>
        NodePortServiceNames
            .Candidates(name)
            .Select(candidate => view.Service(@namespace, candidate))
            .FirstOrDefault(service => service is not null && IsNodePortServiceOf(service, @namespace, name));

    /// <summary>The desired node-port Service.</summary>
    public static V1Service Build(V1Service service, ITenantView view)
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

    private static bool LacksNodePort(V1Service service, int port) => TcpPort(service, port) is { NodePort: not > 0 };

    private static V1ServicePort? TcpPort(V1Service service, int port) =>
        (service.Spec?.Ports ?? []).FirstOrDefault(p => p.Port == port && p.Protocol is (null or "TCP"));

    // An existing node-port Service keeps its name and node ports; a new one gets the contract's name unless it is already in use.
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
