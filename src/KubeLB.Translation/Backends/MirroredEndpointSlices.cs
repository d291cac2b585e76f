using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using KubeLB.Api;

namespace KubeLB.Translation.Backends;

/// <summary>
/// Copies of the EndpointSlices of a Service without selector for its node-port Service, which would have no endpoints otherwise.
/// </summary>
/// <remarks>https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors</remarks>
public static class MirroredEndpointSlices
{
    /// <summary>Label of an EndpointSlice: its Service.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary>Label of an EndpointSlice: its controller.</summary>
    public const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";

    /// <summary>Value of <see cref="ManagedByLabel"/> on the mirrors.</summary>
    public const string ManagedByCcm = "kubelb-ccm";

    /// <summary>Value of <see cref="ManagedByLabel"/> on the EndpointSlices that Kubernetes creates for Services with a selector.</summary>
    public const string ManagedByKubernetes = "endpointslice-controller.k8s.io";

    private const int HashLength = 10;

    /// <summary>Whether a node-port Service of the Service needs mirrors to have endpoints.</summary>
    public static bool AreNeededFor(V1Service service) =>
        service.Spec?.Selector is not { Count: > 0 } && NodePortService.MayBeNeededFor(service);

    /// <summary>Name of the Service that the EndpointSlice belongs to; null if it names none.</summary>
    public static string? ServiceOf(V1EndpointSlice slice) =>
        slice.Metadata.Labels?.TryGetValue(ServiceNameLabel, out var name) == true ? name : null;

    /// <summary>Name of the Service that the EndpointSlice, or the one that it mirrors, belongs to; null if it names none.</summary>
    public static string? OriginOf(V1EndpointSlice slice) =>
        IsMirror(slice) && slice.Metadata.Labels.TryGetValue(Labels.OriginName, out var origin) ? origin : ServiceOf(slice);

    /// <summary>Whether the EndpointSlice is a mirror.</summary>
    public static bool IsMirror(V1EndpointSlice slice) => IsManagedBy(slice, ManagedByCcm);

    /// <summary>
    /// Whether Kubernetes created the EndpointSlice for a Service with a selector. It is not mirrored, also if the selector was removed
    /// later: Kubernetes does not update it then.
    /// </summary>
    public static bool IsOfSelector(V1EndpointSlice slice) => IsManagedBy(slice, ManagedByKubernetes);

    /// <summary>The desired mirrors, sorted by name.</summary>
    /// <param name="service">The Service without selector.</param>
    /// <param name="nodePortService">Its existing node-port Service, which owns the mirrors.</param>
    /// <param name="slices">The EndpointSlices of the Service.</param>
    public static IReadOnlyList<V1EndpointSlice> Build(V1Service service, V1Service nodePortService, IEnumerable<V1EndpointSlice> slices) =>
        [
            .. slices
                .Where(s => s.Metadata.DeletionTimestamp is null && s.AddressType is "IPv4" or "IPv6" && !IsMirror(s) && !IsOfSelector(s))
                .Select(slice => Mirror(service, nodePortService, slice))
                .OrderBy(s => s.Name(), StringComparer.Ordinal),
        ];

    private static bool IsManagedBy(V1EndpointSlice slice, string controller) =>
        slice.Metadata.Labels?.TryGetValue(ManagedByLabel, out var managedBy) == true && managedBy == controller;

    private static V1EndpointSlice Mirror(V1Service service, V1Service nodePortService, V1EndpointSlice slice) =>
        new()
        {
            ApiVersion = $"{V1EndpointSlice.KubeGroup}/{V1EndpointSlice.KubeApiVersion}",
            Kind = V1EndpointSlice.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = NameOf(nodePortService, slice),
                NamespaceProperty = nodePortService.Namespace(),
                Labels = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [ServiceNameLabel] = nodePortService.Name(),
                    [ManagedByLabel] = ManagedByCcm,
                    [Labels.OriginName] = service.Name(),
                },
                OwnerReferences =
                [
                    new V1OwnerReference
                    {
                        ApiVersion = V1Service.KubeApiVersion,
                        Kind = V1Service.KubeKind,
                        Name = nodePortService.Name(),
                        Uid = nodePortService.Uid(),
                    },
                ],
            },
            AddressType = slice.AddressType,
            Endpoints =
            [
                .. (slice.Endpoints ?? []).Select(endpoint => new V1Endpoint
                {
                    Addresses = endpoint.Addresses,
                    Conditions = endpoint.Conditions,
                    Hostname = endpoint.Hostname,
                    NodeName = endpoint.NodeName,
                    TargetRef = endpoint.TargetRef,
                    Zone = endpoint.Zone,
                }),
            ],
            Ports = [.. slice.Ports ?? []],
        };

    // The address type of an EndpointSlice is immutable, so each type has a name of its own.
    private static string NameOf(V1Service nodePortService, V1EndpointSlice slice)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{slice.Name()}/{slice.AddressType}")))[..HashLength];
        return $"{nodePortService.Name()}-{hash}";
    }
}
