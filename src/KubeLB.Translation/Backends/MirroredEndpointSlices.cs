using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using KubeLB.Api;

namespace KubeLB.Translation.Backends;

/// <summary>
/// The EndpointSlices of a Service without selector, once more for its node-port twin: nobody else gives endpoints to a Service that
/// selects no pods.
/// </summary>
/// <remarks>https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors</remarks>
public static class MirroredEndpointSlices
{
    /// <summary>Label of an EndpointSlice: its Service.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary>Label of an EndpointSlice: who manages it.</summary>
    public const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";

    /// <summary>Value of <see cref="ManagedByLabel"/> on the mirrors.</summary>
    public const string ManagedByCcm = "kubelb-ccm";

    /// <summary>
    /// Label selector for the EndpointSlices that may have to be mirrored, and for the mirrors: all but those that Kubernetes makes for
    /// Services with a selector, which are the most by far.
    /// </summary>
    public const string Selector = ManagedByLabel + "!=endpointslice-controller.k8s.io";

    private const int HashLength = 10;

    /// <summary>Whether the twin of the Service needs mirrors to have endpoints at all.</summary>
    public static bool AreNeededFor(V1Service service) =>
        service.Spec?.Selector is not { Count: > 0 } && NodePortService.IsNeededFor(service);

    /// <summary>Name of the Service that the EndpointSlice belongs to; null if it names none.</summary>
    public static string? ServiceOf(V1EndpointSlice slice) =>
        slice.Metadata.Labels?.TryGetValue(ServiceNameLabel, out var name) == true ? name : null;

    /// <summary>Name of the Service whose EndpointSlice this is, or is the mirror of; null if it names none.</summary>
    public static string? OriginOf(V1EndpointSlice slice) =>
        IsMirror(slice) && slice.Metadata.Labels.TryGetValue(Labels.OriginName, out var origin) ? origin : ServiceOf(slice);

    /// <summary>Whether the EndpointSlice is one of ours.</summary>
    public static bool IsMirror(V1EndpointSlice slice) =>
        slice.Metadata.Labels?.TryGetValue(ManagedByLabel, out var managedBy) == true && managedBy == ManagedByCcm;

    /// <summary>The mirrors as they should be, in the order of their names.</summary>
    /// <param name="service">The Service without selector.</param>
    /// <param name="twin">Its twin as it exists; it owns the mirrors.</param>
    /// <param name="slices">The EndpointSlices of the Service.</param>
    public static IReadOnlyList<V1EndpointSlice> For(V1Service service, V1Service twin, IEnumerable<V1EndpointSlice> slices) =>
        [
            .. slices
                .Where(s => s.Metadata.DeletionTimestamp is null && s.AddressType is "IPv4" or "IPv6" && !IsMirror(s))
                .Select(slice => Mirror(service, twin, slice))
                .OrderBy(s => s.Name(), StringComparer.Ordinal),
        ];

    private static V1EndpointSlice Mirror(V1Service service, V1Service twin, V1EndpointSlice slice) =>
        new()
        {
            ApiVersion = $"{V1EndpointSlice.KubeGroup}/{V1EndpointSlice.KubeApiVersion}",
            Kind = V1EndpointSlice.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = NameOf(twin, slice),
                NamespaceProperty = twin.Namespace(),
                Labels = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [ServiceNameLabel] = twin.Name(),
                    [ManagedByLabel] = ManagedByCcm,
                    [Labels.OriginName] = service.Name(),
                },
                OwnerReferences =
                [
                    new V1OwnerReference
                    {
                        ApiVersion = V1Service.KubeApiVersion,
                        Kind = V1Service.KubeKind,
                        Name = twin.Name(),
                        Uid = twin.Uid(),
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

    // Other names for other address types, which cannot be changed.
    private static string NameOf(V1Service twin, V1EndpointSlice slice)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{slice.Name()}/{slice.AddressType}")))[..HashLength];
        return $"{twin.Name()}-{hash}";
    }
}
