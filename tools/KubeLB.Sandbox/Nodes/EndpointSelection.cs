using System.Globalization;
using k8s.Models;
using KubeLB.Runtime.Storing;

namespace KubeLB.Sandbox.Nodes;

/// <summary>The pods and ports of a Service. Pure.</summary>
internal static class EndpointSelection
{
    private const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary>A set of pods with the same port numbers for the Service's ports.</summary>
    /// <param name="Ports">Ports with the Service's port names.</param>
    /// <param name="Pods">Pods in the order of their names.</param>
    public sealed record Subset(IReadOnlyList<Discoveryv1EndpointPort> Ports, IReadOnlyList<V1Pod> Pods);

    /// <summary>Index values of an EndpointSlice: its Service.</summary>
    public static IEnumerable<string> ServiceOf(V1EndpointSlice slice) => ServiceKeyOf(slice).Select(k => k.ToString());

    /// <summary>The Service of an EndpointSlice, none without its label.</summary>
    public static IEnumerable<ResourceKey> ServiceKeyOf(V1EndpointSlice slice) =>
        slice.Metadata.Labels?.TryGetValue(ServiceNameLabel, out var service) == true ? [new(slice.Namespace(), service)] : [];

    /// <summary>Whether a Service selects a pod.</summary>
    public static bool Selects(V1Service service, V1Pod pod) =>
        service.Spec?.Selector is { Count: > 0 } selector
        && service.Namespace() == pod.Namespace()
        && selector.All(desired => pod.Metadata.Labels?.TryGetValue(desired.Key, out var value) == true && value == desired.Value);

    /// <summary>Whether a pod is ready.</summary>
    public static bool IsReady(V1Pod pod) =>
        pod.Metadata.DeletionTimestamp is null
        && pod.Status?.PodIP is { Length: > 0 }
        && pod.Status.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true;

    /// <summary>The ready pods of a Service, grouped by port numbers. As in Kubernetes, a pod may lack a named port.</summary>
    public static IReadOnlyList<Subset> Of(V1Service service, IEnumerable<V1Pod> pods) =>
        [
            .. pods.Where(pod => Selects(service, pod) && IsReady(pod))
                .OrderBy(pod => pod.Name(), StringComparer.Ordinal)
                .Select(pod => (Pod: pod, Ports: Ports(service, pod)))
                .GroupBy(p => string.Join(',', p.Ports.Select(port => $"{port.Name}={port.Port}")), StringComparer.Ordinal)
                .OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new Subset(g.First().Ports, [.. g.Select(p => p.Pod)])),
        ];

    /// <summary>The container port of a Service port; null if the pod has no port of that name.</summary>
    public static int? TargetPort(V1ServicePort port, V1Pod pod)
    {
        var target = port.TargetPort?.Value;
        if (string.IsNullOrEmpty(target) || target == "0")
        {
            return port.Port;
        }

        if (int.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        return pod
            .Spec?.Containers?.SelectMany(c => c.Ports ?? [])
            .FirstOrDefault(p => p.Name == target && Protocol(p.Protocol) == Protocol(port.Protocol))
            ?.ContainerPort;
    }

    /// <summary>The EndpointSlices of a Service; one without endpoints if no pod is ready.</summary>
    public static IEnumerable<V1EndpointSlice> Slices(V1Service service, IReadOnlyList<Subset> subsets)
    {
        var number = 0;
        foreach (var subset in subsets.DefaultIfEmpty(new Subset([], [])))
        {
            yield return new V1EndpointSlice
            {
                ApiVersion = $"{V1EndpointSlice.KubeGroup}/{V1EndpointSlice.KubeApiVersion}",
                Kind = V1EndpointSlice.KubeKind,
                Metadata = Owned(
                    service,
                    $"{service.Name()}-{number++}",
                    new Dictionary<string, string>
                    {
                        [ServiceNameLabel] = service.Name(),
                        ["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io",
                    }
                ),
                AddressType = "IPv4",
                Ports = [.. subset.Ports],
                Endpoints =
                [
                    .. subset.Pods.Select(pod => new V1Endpoint
                    {
                        Addresses = [pod.Status.PodIP],
                        Conditions = new V1EndpointConditions
                        {
                            Ready = true,
                            Serving = true,
                            Terminating = false,
                        },
                        NodeName = pod.Spec.NodeName,
                        TargetRef = Reference(pod),
                    }),
                ],
            };
        }
    }

    /// <summary>The Endpoints of a Service, for older clients.</summary>
    public static V1Endpoints Endpoints(V1Service service, IReadOnlyList<Subset> subsets) =>
        new()
        {
            ApiVersion = V1Endpoints.KubeApiVersion,
            Kind = V1Endpoints.KubeKind,
            Metadata = Owned(service, service.Name(), new Dictionary<string, string>()),
            Subsets =
            [
                .. subsets
                    .Where(subset => subset.Ports.Count > 0)
                    .Select(subset => new V1EndpointSubset
                    {
                        Addresses =
                        [
                            .. subset.Pods.Select(pod => new V1EndpointAddress
                            {
                                Ip = pod.Status.PodIP,
                                NodeName = pod.Spec.NodeName,
                                TargetRef = Reference(pod),
                            }),
                        ],
                        Ports =
                        [
                            .. subset.Ports.Select(p => new Corev1EndpointPort
                            {
                                Name = p.Name,
                                Port = p.Port!.Value,
                                Protocol = p.Protocol,
                            }),
                        ],
                    }),
            ],
        };

    private static List<Discoveryv1EndpointPort> Ports(V1Service service, V1Pod pod)
    {
        var ports = new List<Discoveryv1EndpointPort>();
        foreach (var port in service.Spec.Ports ?? [])
        {
            if (TargetPort(port, pod) is { } number)
            {
                ports.Add(
                    new Discoveryv1EndpointPort
                    {
                        Name = port.Name ?? "",
                        Port = number,
                        Protocol = Protocol(port.Protocol),
                        AppProtocol = port.AppProtocol,
                    }
                );
            }
        }

        return ports;
    }

    private static string Protocol(string? protocol) => string.IsNullOrEmpty(protocol) ? "TCP" : protocol;

    private static V1ObjectReference Reference(V1Pod pod) =>
        new()
        {
            Kind = V1Pod.KubeKind,
            Name = pod.Name(),
            NamespaceProperty = pod.Namespace(),
            Uid = pod.Uid(),
        };

    private static V1ObjectMeta Owned(V1Service service, string name, Dictionary<string, string> labels) =>
        new()
        {
            Name = name,
            NamespaceProperty = service.Namespace(),
            Labels = labels.Count == 0 ? null : labels,
            OwnerReferences =
            [
                new V1OwnerReference
                {
                    ApiVersion = V1Service.KubeApiVersion,
                    Kind = V1Service.KubeKind,
                    Name = service.Name(),
                    Uid = service.Uid(),
                    Controller = true,
                    BlockOwnerDeletion = true,
                },
            ],
        };
}
